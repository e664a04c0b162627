authority "b" {
  issuer = authority.root
  subject {
    rdns = ["C=DE", "ACME", "CN=x"]
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
    rdns        = ["CN=x"]
    common_name = "x"
  }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "5y"
}
authority "d" {
  issuer = authority.root
  subject {
    rdns = ["C=de", "CN=x"]
  }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "5y"
}
authority "e" {
  issuer = authority.root
  subject {
    rdns = ["O=a+O=b", "CN=x"]
  }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "5y"
}
authority "f" {
  issuer = authority.root
  subject {
    common_name      = "x"
    domain_component = ["ü"]
  }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "5y"
}
