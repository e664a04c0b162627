online_ca "a" {
  authority = authority.i
  dns_names = ["ca.acme.internal"]
  address   = ":443"
  database {
    type        = "postgresql"
    data_source = "postgresql://step:secret@db/step"
  }

  crl {
    enabled = true
  }
}
authority "i" {
  subject { common_name = "X" }
  validity = "5y"
  issuer = authority.root
  csr = "a.csr"
  crl {
    urls = ["http://a.example/a.crl", "http://b.example/a.crl"]
  }
}
online_ca "b" {
  authority = authority.i
  dns_names = ["ca.acme.internal"]
  address   = ":443"
  key = "pkcs11:object=x"

  database {
    type        = "badger"
    data_source = "db"
  }
}
online_ca "c" {
  authority = authority.i
  dns_names = ["ca.acme.internal"]
  address   = ":443"
  key = "pkcs11:object=x"

  database {
    type        = "badgerv2"
    data_source = "../db"
  }
}
