locals {
  bad = upper([])
}

authority "a" {
  subject { common_name = "X" }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = local.bad
  issuer = authority.root
}
authority "b" {
  subject { common_name = "X" }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = authority.a.validity
  issuer = authority.a
}
online_ca "us" {
  authority = authority.b
  dns_names = ["ca.acme.internal"]
  address   = ":443"
}

locals {
  also = authority.b.validity
}
