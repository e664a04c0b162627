estate "acme" {
  environment = "production"
}

secret "a" { file = "pin.txt" }
secret "b" {
  file   = "/etc/pin"
  prompt = true
}
secret "c" {}
