authority "b" {
  issuer = authority.root["us"]
  subject {
    common_name = "B"
  }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "5y"
}
