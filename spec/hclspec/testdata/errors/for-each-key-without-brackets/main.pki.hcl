authority "a" {
  for_each = toset(["us"])
  issuer   = authority.root
  subject { common_name = "A ${each.key}" }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "5y"
  crl {
    urls      = ["http://pki.acme.example/${each.key}.crl"]
    valid_for = "30d"
  }
}

authority "b" {
  issuer = authority.a.us
  subject { common_name = "B" }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "1y"
}
