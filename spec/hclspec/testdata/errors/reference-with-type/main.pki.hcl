authority "a" {
  issuer = "authority.root"
  subject { common_name = "A" }
  key {
    store     = key_store.file.lab
    algorithm = "ecdsa-p256"
  }
  validity = "5y"
}
