authority "issuing" {
  for_each = toset(["us", "eu"])
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
  for_each  = toset(["us", "ue"])
  authority = authority.issuing[each.key]
  dns_names = ["a.example"]
  address   = ":443"
  key       = "k"
}

locals {
  a = authority.issuing["su"].validity
}
