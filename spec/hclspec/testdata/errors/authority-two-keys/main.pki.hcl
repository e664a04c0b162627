authority "a" {
  subject { common_name = "X" }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "5y"
  csr = "a.csr"
  issuer = authority.root
}
authority "b" {
  subject { common_name = "X" }
  validity = "5y"
  csr = "a.csr"
}
