authority "issuing" {
  for_each = toset(["us"])
  issuer   = authority.root
  subject {
    common_name = "Issuing ${each.key}"
  }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "5y"
}

online_ca "a" {
  authority = authority.issuing
  dns_names = ["a.example"]
  address   = ":443"
}

locals {
  a = authority.issuing.validity
}
