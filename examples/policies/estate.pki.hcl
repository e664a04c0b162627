# Policies in three layers. The name constraints in the issuing certificate hold
# whatever happens to step-ca, at every client. The policy of the online CA decides
# each request, for X.509 and for SSH, and is changed without a ceremony. A
# provisioner's claims say for how long.

estate "policies" {
  environment = "lab"
  subject { organization = ["ACME"] }
}

# In production a secret comes from a prompt or from custodians, never a file.
secret "root" { file = "secrets/root.txt" }
secret "online" { file = "secrets/online.txt" }
secret "ssh" { file = "secrets/ssh.txt" }

key_store "file" "root" {
  path     = "keys/root"
  password = secret.root
}

key_store "file" "online" {
  path     = "keys/online"
  password = secret.online
}

authority "root" {
  subject { common_name = "ACME Root CA" }

  key {
    store     = key_store.root
    algorithm = "ecdsa-p384"
  }

  validity        = "20y"
  path_length     = 1
  ca_issuers_urls = ["http://pki.acme.example/root.cer"]

  crl {
    urls        = ["http://pki.acme.example/root.crl"]
    valid_for   = "360d"
    issue_every = "330d"
  }
}

authority "issuing" {
  issuer = authority.root
  subject { common_name = "ACME Issuing CA" }

  key {
    store     = key_store.online
    algorithm = "ecdsa-p256"
  }

  validity           = "5y"
  path_length        = 0
  extended_key_usage = ["server_auth", "client_auth"]

  name_constraints {
    permitted_dns = ["acme.internal"]
    permitted_ip  = ["10.0.0.0/8"]
    critical      = true
    accepts       = ["host.acme.internal", "10.1.2.3"]
    refuses       = ["acme.example", "192.0.2.1"]
  }

  ca_issuers_urls = ["http://pki.acme.example/issuing.cer"]

  crl {
    urls        = ["http://pki.acme.example/issuing.crl"]
    valid_for   = "7d"
    issue_every = "1d"
  }
}

key_store "file" "ssh" {
  path     = "keys/ssh"
  password = secret.ssh
}

ssh_authority "host" {
  type = "host"

  key {
    store     = key_store.ssh
    algorithm = "ecdsa-p256"
  }
}

ssh_authority "user" {
  type = "user"

  key {
    store     = key_store.ssh
    algorithm = "ecdsa-p256"
  }
}

provisioner "acme" "web" {
  challenges = ["http-01", "dns-01"]

  claims {
    default_tls_duration = "7d"
    max_tls_duration     = "30d"
  }
}

provisioner "oidc" "people" {
  client_id              = "step-ca"
  configuration_endpoint = "https://id.acme.example/.well-known/openid-configuration"
  domains                = ["acme.example"]

  claims {
    enable_ssh_ca             = true
    default_user_ssh_duration = "8h"
    max_user_ssh_duration     = "16h"
  }
}

online_ca "issuing" {
  authority        = authority.issuing
  dns_names        = ["ca.acme.internal"]
  address          = ":443"
  insecure_address = "127.0.0.1:9080"
  provisioners     = [provisioner.web, provisioner.people]

  database {
    type        = "badgerv2"
    data_source = "db"
  }

  ssh {
    host = ssh_authority.host
    user = ssh_authority.user
  }

  # Deny wins. An allow of one kind of name denies every other kind.
  policy {
    x509 {
      allow {
        dns   = ["*.acme.internal", "*.db.acme.internal"]
        ip    = ["10.0.0.0/8"]
        email = ["@acme.example"]
      }
      deny {
        dns = ["ca.acme.internal", "vault.acme.internal"]
        ip  = ["10.0.0.0/24"]
      }
    }
    ssh {
      user {
        allow { email = ["@acme.example"] }
        deny { principal = ["root"] }
      }
      host {
        allow { dns = ["*.acme.internal"] }
      }
    }
  }

  crl {
    enabled            = true
    generate_on_revoke = true
  }
}
