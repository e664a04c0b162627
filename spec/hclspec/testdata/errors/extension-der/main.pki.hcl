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
  extension {
    oid = "2.5.29.19"
    der = "3000"
  }
  extension {
    oid = "1.3.6.1.4.1.99999.9"
    der = "zz"
  }
  extension {
    oid = "1.3.6.1.4.1.99999.10"
    der = "3001"
  }
  extension {
    oid = "x"
    der = "0500"
  }
  extension {
    oid = "1.2.3"
    der = "0500"
  }
  extension {
    oid      = "1.2.3"
    critical = true
    der      = "BQA="
  }
}
