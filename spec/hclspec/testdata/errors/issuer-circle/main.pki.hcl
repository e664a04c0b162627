authority "a" {
  subject { common_name = "X" }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "5y"
  issuer = authority.b
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
  issuer = authority.c
  crl {
    urls      = ["http://pki.acme.example/b.crl"]
    valid_for = "7d"
  }
}
authority "c" {
  subject { common_name = "X" }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "5y"
  issuer = authority.a
  crl {
    urls      = ["http://pki.acme.example/c.crl"]
    valid_for = "7d"
  }
}
authority "d" {
  subject { common_name = "X" }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "5y"
  issuer = authority.a
}
authority "e" {
  subject { common_name = "X" }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "5y"
  issuer = authority.e
  crl {
    urls      = ["http://pki.acme.example/e.crl"]
    valid_for = "7d"
  }
}
