authority "issuing" {
  for_each = { us = "5y", eu = "30y" }
  issuer   = authority.root
  subject {
    common_name = "Issuing ${each.key}"
  }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = each.value
}
