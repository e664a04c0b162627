# ACME for everything at home: one small machine, one root in the browsers, and
# every service renews by itself. Clients: certbot, Caddy, Traefik, lego, acme.sh.
#
# Caddy or nginx on the same machine answers on port 80 with rendered/site: the
# CRLs and certificates that every certificate points to.

estate "homelab" {
  environment = "lab"
  subject { organization = ["Home"] }
}

# In production a secret comes from a prompt or from custodians, never a file.
secret "root" { file = "secrets/root.txt" }
secret "online" { file = "secrets/online.txt" }

key_store "file" "root" {
  path     = "keys/root"
  password = secret.root
}

key_store "file" "online" {
  path     = "keys/online"
  password = secret.online
}

authority "root" {
  subject { common_name = "Home Root CA" }

  key {
    store     = key_store.root
    algorithm = "ecdsa-p384"
  }

  validity        = "20y"
  path_length     = 1
  ca_issuers_urls = ["http://ca.home.arpa/root.cer"]

  crl {
    urls        = ["http://ca.home.arpa/root.crl"]
    valid_for   = "360d"
    issue_every = "330d"
  }
}

authority "home" {
  issuer = authority.root
  subject { common_name = "Home Issuing CA" }

  key {
    store     = key_store.online
    algorithm = "ecdsa-p256"
  }

  validity           = "5y"
  path_length        = 0
  extended_key_usage = ["server_auth", "client_auth"]
  ca_issuers_urls    = ["http://ca.home.arpa/home.cer"]

  crl {
    urls        = ["http://ca.home.arpa/home.crl"]
    valid_for   = "7d"
    issue_every = "1d"
  }
}

provisioner "acme" "acme" {
  challenges = ["http-01", "tls-alpn-01", "dns-01"]
  force_cn   = true # some old clients want a common name

  claims {
    default_tls_duration = "30d"
    max_tls_duration     = "90d"
  }
}

online_ca "home" {
  authority        = authority.home
  dns_names        = ["ca.home.arpa"]
  address          = ":443"
  insecure_address = "127.0.0.1:9080" # the web server fetches the CRL here
  provisioners     = [provisioner.acme]

  database {
    type        = "bbolt"
    data_source = "db/ca.db"
  }

  policy {
    x509 {
      allow {
        dns = ["*.home.arpa", "*.lab.home.arpa"]
        ip  = ["192.168.0.0/16"]
      }
    }
  }

  crl {
    enabled            = true
    generate_on_revoke = true
  }
}
