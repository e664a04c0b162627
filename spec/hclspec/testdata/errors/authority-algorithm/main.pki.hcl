authority "a" {
  issuer = authority.root
  subject { common_name = "X" }
  key {
    store     = key_store.lab
    algorithm = "rsa-2048"
  }
  validity           = "5y"
  extended_key_usage = ["any"]
}
