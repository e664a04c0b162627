authority "issuing" {
  for_each = toset(["us"])
  issuer   = authority.root
  subject {
    common_name = "Issuing ${each.name}"
  }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "5y"
}
