variabel "region" {
  default = "us"
}

local {
  host = "pki.acme.example"
}

authority "a" {
  issuer = authority.root
  subject { common_name = "A ${var.region}" }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "5y"
  crl {
    urls      = ["http://${local.host}/a.crl"]
    valid_for = "30d"
  }
}
