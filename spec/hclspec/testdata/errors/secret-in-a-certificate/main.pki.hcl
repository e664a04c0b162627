authority "b" {
  issuer = authority.root
  subject {
    common_name = secret.lab.value
  }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "5y"
}
authority "c" {
  issuer = authority.root
  subject {
    common_name = "x ${secret.lab}"
  }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "5y"
}
