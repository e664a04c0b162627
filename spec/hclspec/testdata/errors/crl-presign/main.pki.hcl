authority "a" {
  subject { common_name = "A" }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "5y"
  issuer   = authority.root
  crl {
    urls      = ["http://pki.acme.example/a.crl"]
    valid_for = "40d"
    presign   = 3
  }
}
authority "b" {
  subject { common_name = "B" }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "5y"
  issuer   = authority.root
  crl {
    urls        = ["http://pki.acme.example/b.crl"]
    valid_for   = "40d"
    issue_every = "30d"
    presign     = 61
  }
}
authority "c" {
  subject { common_name = "C" }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "5y"
  issuer   = authority.root
  crl {
    urls        = ["http://pki.acme.example/c.crl"]
    valid_for   = "40d"
    issue_every = "30d"
    presign     = 3
  }
}
authority "d" {
  subject { common_name = "D" }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "5y"
  issuer   = authority.root
  crl {
    urls        = ["http://pki.acme.example/d.crl"]
    valid_for   = "40d"
    issue_every = "30d"
    on_timer    = true
    presign     = 2
  }
}
authority "e" {
  subject { common_name = "E" }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "10y"
  crl {
    urls      = ["http://pki.acme.example/e.crl"]
    valid_for = "40d"
    on_timer  = true
  }
}
authority "f" {
  subject { common_name = "F" }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "10y"
  issuer   = authority.root
  crl {
    urls      = ["http://pki.acme.example/f.crl"]
    valid_for = "40d"
    on_timer  = true
  }
}
authority "g" {
  subject { common_name = "G" }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "1y"
  issuer   = authority.f
}
lint {
  profile = "webpki"
}
