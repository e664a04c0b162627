authority "a" {
  subject { common_name = "X" }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = 20
  issuer = authority.root
}

secret "f" { file = 7 }
