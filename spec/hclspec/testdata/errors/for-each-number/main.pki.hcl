authority "issuing" {
  for_each = 3
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
