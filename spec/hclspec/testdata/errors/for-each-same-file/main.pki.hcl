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
authority "issuing-us" {
  issuer   = authority.root
  subject {
    common_name = "Issuing x"
  }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "5y"
}
