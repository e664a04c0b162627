authority "a" {
  subject { common_name = "X" }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "5y"
  issuer = authority.root
  crl {
    urls      = ["http://pki.acme.example/a.crl"]
    valid_for = authority.b.crl.valid_for
  }
}
authority "b" {
  subject { common_name = "X" }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "5y"
  issuer = authority.root
  crl {
    urls      = ["http://pki.acme.example/b.crl"]
    valid_for = authority.a.crl.valid_for
  }
}
