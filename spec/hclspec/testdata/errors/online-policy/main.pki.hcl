online_ca "a" {
  authority    = authority.i
  dns_names    = ["ca.internal"]
  address      = ":443"
  provisioners = [provisioner.admin]

  policy {
    x509 {
      allow {
        cn        = ["*"]
        dns       = [".internal", "a.*.internal", "*.good.internal"]
        ip        = ["10.0.0.1/8", "10.0.0.0/8"]
        email     = ["acme.internal", "@acme.internal", "ada@acme.internal"]
        uri       = ["https://a.internal", "*.a.internal"]
        principal = ["root"]
      }
      deny {
      }
    }
    ssh {
      user {
        allow {
          uri = ["a.internal"]
        }
      }
    }
  }
}

online_ca "b" {
  authority    = authority.i
  dns_names    = ["ca.internal"]
  address      = ":443"
  provisioners = [provisioner.admin]

  policy {
    x509 {
    }
  }
}

online_ca "c" {
  authority    = authority.i
  dns_names    = ["ca.internal"]
  address      = ":443"
  provisioners = [provisioner.admin]

  policy {
  }
}

online_ca "d" {
  authority    = authority.i
  dns_names    = ["ca.internal"]
  address      = ":443"
  provisioners = [provisioner.admin]

  policy {
    x509 {
      allow {
        cn = ["ada"]
      }
    }
  }
}

provisioner "jwk" "admin" {
  password = secret.lab
}

authority "i" {
  issuer = authority.root
  subject { common_name = "X" }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "5y"
}
