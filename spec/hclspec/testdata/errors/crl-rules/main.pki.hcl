authority "a" {
  subject { common_name = "X" }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "5y"
  issuer = authority.root
  crl {
    urls = []
  }
}
authority "b" {
  subject { common_name = "X" }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "5y"
  issuer = authority.root
  crl {
    urls        = ["https://pki.acme.example/b.crl", "pki.acme.example/b.crl", "http://a:b@pki.acme.example/b.crl", "http://pki.acme.example/b.crl#x", "http://pki.acmé.example/b.crl"]
    valid_for   = "7d"
    issue_every = "7d"
  }
  ca_issuers_urls = ["https://pki.acme.example/b.cer"]
}
authority "c" {
  for_each = toset(["eu", "us"])
  subject { common_name = "C ${each.key}" }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "5y"
  issuer = authority.root
  crl {
    urls      = ["http://pki.acme.example/c.crl", "http://pki.acme.example/${each.key}.crl", "http://pki.acme.example/${each.key}.crl"]
    valid_for = "7d"
  }
}
