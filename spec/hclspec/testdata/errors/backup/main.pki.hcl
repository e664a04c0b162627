secret "b" { prompt = true }

key_store "pkcs11" "a" {
  module = "/usr/lib/vendor.so"
  token  = "a"
  pin    = secret.b
}

key_store "pkcs11" "again" {
  module = "/usr/lib/vendor.so"
  token  = "a"
  pin    = secret.b
}

key_store "file" "files" {
  path     = "more"
  password = secret.b
}

ssh_authority "host" {
  type = "host"
  key {
    store     = key_store.a
    algorithm = "ed25519"
    backup    = [key_store.again]
  }
}

authority "one" {
  subject { common_name = "One" }
  key {
    store     = key_store.a
    algorithm = "ecdsa-p384"
    backup    = [key_store.again, key_store.files, key_store.a]
  }
  validity = "10y"
}

authority "two" {
  subject { common_name = "Two" }
  key {
    store         = key_store.files
    algorithm     = "ecdsa-p384"
    backup        = [key_store.a]
    backup_policy = "vendor-clone"
  }
  validity = "10y"
}

authority "three" {
  subject { common_name = "Three" }
  key {
    store         = key_store.a
    algorithm     = "ecdsa-p384"
    backup_policy = "raid"
  }
  validity = "10y"
}

authority "four" {
  subject { common_name = "Four" }
  key {
    store         = key_store.a
    algorithm     = "ecdsa-p384"
    backup        = [key_store.files]
    backup_policy = "none"
  }
  validity = "10y"
}

authority "five" {
  subject { common_name = "Five" }
  key {
    store         = key_store.a
    algorithm     = "ecdsa-p384"
    backup_policy = "wrap-then-seal"
  }
  validity = "10y"
}
