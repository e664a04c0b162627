authority "a" {
  subject { common_name = "X" }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = authority.b.validity
  issuer = authority.root
}
authority "b" {
  subject { common_name = "X" }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = authority.a.validity
  issuer = authority.root
}
