custodians "all" {
  threshold = 3
  holder "alice" {}
  holder "bob" {}
  holder "carol" {}
}

custodians "idle" {
  threshold = 2
  holder "alice" {}
  holder "bob" {}
  holder "carol" {}
}

secret "both" {
  custodians = custodians.all
  prompt     = true
}

secret "short" {
  custodians = custodians.all
  length     = 25
}

secret "typed" {
  prompt = true
  length = 32
  dice   = true
}

secret "daily" { custodians = custodians.all }

secret "a_name_that_is_so_long_that_nobody_types_it_from_a_sheet_of_pape" { custodians = custodians.all }

secret "pin" { custodians = custodians.all }
secret "so_pin" { custodians = custodians.all }

provisioner "jwk" "admin" { password = secret.daily }

key_store "pkcs11" "existing" {
  module = "/usr/lib/softhsm/libsofthsm2.so"
  token  = "acme"
  pin    = secret.pin
}

key_store "pkcs11" "forms" {
  module          = "/usr/lib/softhsm/libsofthsm2.so"
  token           = "forms"
  pin             = secret.pin
  pin_alphabet    = "words"
  so_pin          = secret.so_pin
  so_pin_length   = 3
  initialize      = true
}

key_store "pkcs11" "typed" {
  module     = "/usr/lib/softhsm/libsofthsm2.so"
  token      = "typed"
  pin        = secret.lab
  pin_length = 16
}
