online_ca "a" {
  authority    = authority.i
  dns_names    = ["ca.internal"]
  address      = ":443"
  provisioners = [provisioner.pop, provisioner.shell]

  systemd {
    hsm      = "bluetooth"
    networks = ["10.0.0.0/33"]
  }
}

online_ca "b" {
  authority    = authority.i
  dns_names    = ["ca.internal"]
  address      = ":443"
  provisioners = [provisioner.admin]

  ssh {
    host_key = "secrets/x.key"
  }
}

online_ca "c" {
  authority    = authority.i
  dns_names    = ["ca.internal"]
  address      = ":443"
  provisioners = [provisioner.shell]

  ssh {
    host         = ssh_authority.user
    user         = ssh_authority.elsewhere
    also_trusted = [ssh_authority.elsewhere]
  }
}

online_ca "d" {
  authority    = authority.i
  dns_names    = ["ca.internal"]
  address      = ":443"
  provisioners = [provisioner.shell]

  ssh {
    host = ssh_authority.host
    user = ssh_authority.user
  }

  policy {
    ssh {
      user {
        allow { principal = ["root"] }
      }
    }
  }

  registration {
    type     = "stepcas"
    upstream = "https://ca.internal"
    issuer {
      type        = "jwk"
      provisioner = "ra"
    }
  }
}

ssh_authority "host" {
  type = "host"
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
}

ssh_authority "user" {
  type = "user"
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
}

ssh_authority "elsewhere" {
  type       = "user"
  public_key = "ssh-ed25519 AAAA"
}

ssh_authority "i" {
  type = "both"
}

ssh_authority "two" {
  type       = "user"
  public_key = "ssh-dss AAAA"
  key {
    store     = key_store.lab
    algorithm = "dsa"
  }
}

ssh_authority "unknown" {
  type = "user"
  key {
    store     = key_store.lab
    algorithm = "dsa"
  }
}

provisioner "sshpop" "pop" {
}

provisioner "jwk" "admin" {
  password = secret.lab
}

provisioner "jwk" "shell" {
  password = secret.lab
  claims { enable_ssh_ca = true }
}

authority "ssh-i" {
  issuer = authority.root
  subject { common_name = "X" }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "5y"
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
