# Bring your own root: one that openssl made years ago, and that every machine
# trusts, certifies a new issuing authority. The root's certificate, list and key are
# taken in as they are, and nothing of it is signed again but its next list.
#
#   sh make-root.sh    # stands for the root that you have
#
# What lies in import/ before that is a root whose key nobody has.

estate "own-root" {
  environment = "lab"
  subject { organization = ["ACME"] }
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
  subject { common_name = "ACME Root CA 2020" }

  key {
    store     = key_store.root
    algorithm = "ecdsa-p384"
  }

  validity    = "20y" # of the next certificate
  path_length = 1

  crl {
    urls        = ["http://pki.acme.example/root.crl"]
    valid_for   = "360d"
    issue_every = "330d"
  }

  import {
    certificate = "import/root.crt"
    crl         = "import/root.crl"
    index       = "import/index.txt"
    key         = "keys/root/root.key"
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
  ca_issuers_urls    = ["http://pki.acme.example/issuing.cer"]

  crl {
    urls        = ["http://pki.acme.example/issuing.crl"]
    valid_for   = "7d"
    issue_every = "1d"
  }
}

provisioner "acme" "web" { challenges = ["http-01"] }

online_ca "issuing" {
  authority        = authority.issuing
  dns_names        = ["ca.acme.example"]
  address          = ":443"
  insecure_address = "127.0.0.1:9080"
  provisioners     = [provisioner.web]

  database {
    type        = "badgerv2"
    data_source = "db"
  }

  policy {
    x509 {
      allow { dns = ["*.acme.example"] }
    }
  }

  crl {
    enabled            = true
    generate_on_revoke = true
  }
}
