authority "a" {
  for_each = toset(["a", "b", "c", "d", "e", "f"])
  issuer   = authority.root
  subject { common_name = "A ${each.key}" }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "90y"
  crl {
    urls      = ["http://pki.acme.example/a.crl"]
    valid_for = "30d"
  }
}
