online_ca "a" {
  authority    = authority.i
  dns_names    = ["ca.internal"]
  address      = ":443"
  key          = "secrets/i.key"
  provisioners = [provisioner.pop]

  registration {
    type     = "stepcas"
    upstream = "http://ca.internal"
    issuer {
      type        = "oidc"
      provisioner = ""
    }
    vault {
      auth_type = "token"
    }
  }

  database {
    type        = "badgerv2"
    data_source = "db"
  }

  crl { enabled = true }
}

online_ca "b" {
  authority    = authority.i
  dns_names    = ["ca.internal"]
  address      = ":443"
  provisioners = [provisioner.admin]

  registration {
    type             = "cloudcas"
    upstream         = "projects/p"
    issuer {
      type        = "jwk"
      provisioner = "ra"
    }
  }
}

online_ca "c" {
  authority    = authority.i
  dns_names    = ["ca.internal"]
  address      = ":443"
  provisioners = [provisioner.admin]

  registration {
    type             = "vaultcas"
    upstream         = "https://vault.internal"
    credentials_file = "x.json"
    vault {
      auth_type = "approle"
      role_id   = "r"
      secret_id = "hunter2"
    }
  }
}

online_ca "d" {
  authority    = authority.i
  dns_names    = ["ca.internal"]
  address      = ":443"
  provisioners = [provisioner.admin]

  registration {
    type     = "vaultcas"
    upstream = "https://vault.internal"
  }
}

online_ca "e" {
  authority    = authority.i
  dns_names    = ["ca.internal"]
  address      = ":443"
  provisioners = [provisioner.admin]

  registration {
    type     = "stepcas"
    upstream = "https://ca.internal"
  }
}

online_ca "f" {
  authority    = authority.i
  dns_names    = ["ca.internal"]
  address      = ":443"
  provisioners = [provisioner.admin]

  registration {
    type     = "stepcas"
    upstream = "https://ca.internal"
    issuer {
      type        = "x5c"
      provisioner = "ra"
    }
  }
}

online_ca "g" {
  authority    = authority.i
  dns_names    = ["ca.internal"]
  address      = ":443"
  provisioners = [provisioner.admin]

  registration {
    type     = "acmpca"
    upstream = "https://ca.internal"
  }
}

online_ca "i" {
  authority    = authority.i
  dns_names    = ["ca.internal"]
  address      = ":443"
  provisioners = [provisioner.admin]

  registration {
    type     = "vaultcas"
    upstream = "https://vault.internal"
    vault { auth_type = "token" }
  }
}

online_ca "h" {
  authority    = authority.i
  dns_names    = ["ca.internal"]
  address      = ":443"
  provisioners = [provisioner.admin]

  registration {
    type     = "stepcas"
    upstream = "https://ca.internal"
    issuer {
      type        = "jwk"
      provisioner = "ra"
      certificate = "certs/ra.crt"
    }
  }
}

provisioner "sshpop" "pop" {
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

online_ca "circle" {
  authority    = authority.i
  dns_names    = ["Circle.internal"]
  address      = ":443"
  provisioners = [provisioner.admin]

  registration {
    type     = "stepcas"
    upstream = "https://circle.internal"
    issuer {
      type        = "jwk"
      provisioner = "ra"
    }
  }
}

online_ca "clear" {
  authority    = authority.i
  dns_names    = ["clear.internal"]
  address      = ":443"
  provisioners = [provisioner.admin]

  registration {
    type     = "stepcas"
    upstream = "https://ra:hunter2@ca.internal"
    issuer {
      type        = "jwk"
      provisioner = "ra"
    }
  }
}
