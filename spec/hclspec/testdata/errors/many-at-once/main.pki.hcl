authority "a" {
  subject { common_name = "X" }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "5y"
  issuer = authority.rot
  colour = "blue"
}
authority "b" {
  subject { common_name = "X" }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "30y"
  issuer = authority.a
}
authority "c" {
  subject { common_name = "X" }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "30y"
  issuer = authority.root
  crl {
    urls      = ["https://pki.acme.example/c.crl"]
    valid_for = "7d"
  }
}

secret "x" {}

locals {
  y = upper(local.z)
}
