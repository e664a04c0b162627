authority "b" {
  issuer = authority.root
  subject {
    common_name = "B"
  }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "5y"
  certificate_policy {
    oid    = "1.2.03"
    cps    = ["ftp://x"]
    notice = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
  }
  certificate_policy {
    oid = "any_policy"
  }
  certificate_policy {
    oid = "2.5.29.32.0"
  }
}
