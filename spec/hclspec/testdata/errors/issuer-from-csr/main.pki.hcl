authority "a" {
  subject { common_name = "X" }
  validity = "5y"
  issuer = authority.root
  csr = "a.csr"
  crl {
    urls      = ["http://pki.acme.example/a.crl"]
    valid_for = "7d"
  }
}
authority "b" {
  subject { common_name = "X" }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "5y"
  issuer = authority.a
}
