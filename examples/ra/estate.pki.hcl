# A registration authority in the DMZ speaks ACME and holds no key; the CA behind
# it signs. Whoever takes the outer machine can ask, within the inner policy, and
# cannot sign.

estate "acme-ra" {
  environment = "lab"
  subject { organization = ["ACME"] }
}

# In production a secret comes from a prompt or from custodians, never a file.
secret "root" { file = "secrets/root.txt" }
secret "online" { file = "secrets/online.txt" }
secret "ra" { file = "secrets/ra.txt" }

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
  ca_issuers_urls    = ["http://pki.acme.example/issuing.cer"]

  crl {
    urls        = ["http://pki.acme.example/issuing.crl"]
    valid_for   = "7d"
    issue_every = "1d"
  }
}

provisioner "jwk" "ra" {
  password = secret.ra
}

provisioner "acme" "public" {
  challenges = ["http-01", "tls-alpn-01"]
}

online_ca "inner" {
  authority        = authority.issuing
  dns_names        = ["ca.acme.internal"]
  address          = ":443"
  insecure_address = ":80"
  provisioners     = [provisioner.ra]

  policy {
    x509 {
      allow { dns = ["*.acme.example"] }
    }
  }

  database {
    type        = "badgerv2"
    data_source = "db"
  }

  crl {
    enabled            = true
    generate_on_revoke = true
  }
}

online_ca "outer" {
  authority    = authority.issuing # whose certificates come out
  dns_names    = ["acme.acme.example"]
  address      = ":443"
  provisioners = [provisioner.public]

  registration {
    type     = "stepcas"
    upstream = "https://ca.acme.internal"

    issuer {
      type        = "jwk"
      provisioner = "ra"
    }
  }

  database {
    type        = "badgerv2"
    data_source = "db"
  }
}
