# A hierarchy of one's own: a root, a policy authority for each kind of use with
# limits that nothing below can leave, and issuing authorities below those. The
# partners' policy authority has nothing below it yet; its path length keeps room.

estate "hierarchy" {
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
  subject { common_name = "ACME Root CA" }

  key {
    store     = key_store.root
    algorithm = "ecdsa-p384"
  }

  validity        = "20y"
  path_length     = 2
  ca_issuers_urls = ["http://pki.acme.example/root.cer"]

  crl {
    urls        = ["http://pki.acme.example/root.crl"]
    valid_for   = "360d"
    issue_every = "330d"
  }
}

authority "servers" {
  issuer = authority.root
  subject { common_name = "ACME Servers Policy CA" }

  key {
    store     = key_store.root
    algorithm = "ecdsa-p384"
  }

  validity           = "9y"
  path_length        = 1
  extended_key_usage = ["server_auth", "client_auth"]
  ca_issuers_urls    = ["http://pki.acme.example/servers.cer"]

  name_constraints {
    permitted_dns = ["acme.internal"]
    permitted_ip  = ["10.0.0.0/8"]
    critical      = true
    accepts       = ["host.acme.internal", "10.1.2.3"]
    refuses       = ["acme.example", "192.0.2.1"]
  }

  crl {
    urls        = ["http://pki.acme.example/servers.crl"]
    valid_for   = "360d"
    issue_every = "330d"
  }
}

authority "partners" {
  issuer = authority.root
  subject { common_name = "ACME Partners Policy CA" }

  key {
    store     = key_store.root
    algorithm = "ecdsa-p384"
  }

  validity           = "9y"
  path_length        = 1
  extended_key_usage = ["client_auth"]
  ca_issuers_urls    = ["http://pki.acme.example/partners.cer"]

  crl {
    urls        = ["http://pki.acme.example/partners.crl"]
    valid_for   = "360d"
    issue_every = "330d"
  }
}

authority "servers_eu" {
  issuer = authority.servers
  subject { common_name = "ACME Servers CA EU" }

  key {
    store     = key_store.online
    algorithm = "ecdsa-p256"
  }

  validity           = "3y"
  path_length        = 0
  extended_key_usage = ["server_auth", "client_auth"]
  ca_issuers_urls    = ["http://pki.acme.example/servers_eu.cer"]

  crl {
    urls        = ["http://pki.acme.example/servers_eu.crl"]
    valid_for   = "7d"
    issue_every = "1d"
  }
}

authority "servers_us" {
  issuer = authority.servers
  subject { common_name = "ACME Servers CA US" }

  key {
    store     = key_store.online
    algorithm = "ecdsa-p256"
  }

  validity           = "3y"
  path_length        = 0
  extended_key_usage = ["server_auth", "client_auth"]
  ca_issuers_urls    = ["http://pki.acme.example/servers_us.cer"]

  crl {
    urls        = ["http://pki.acme.example/servers_us.crl"]
    valid_for   = "7d"
    issue_every = "1d"
  }
}

provisioner "acme" "web" { challenges = ["http-01", "dns-01"] }

online_ca "eu" {
  authority        = authority.servers_eu
  dns_names        = ["ca.eu.acme.internal"]
  address          = ":443"
  insecure_address = "127.0.0.1:9080"
  provisioners     = [provisioner.web]

  database {
    type        = "badgerv2"
    data_source = "db"
  }

  policy {
    x509 {
      allow { dns = ["*.eu.acme.internal"] }
    }
  }

  crl {
    enabled            = true
    generate_on_revoke = true
  }
}

online_ca "us" {
  authority        = authority.servers_us
  dns_names        = ["ca.us.acme.internal"]
  address          = ":443"
  insecure_address = "127.0.0.1:9080"
  provisioners     = [provisioner.web]

  database {
    type        = "badgerv2"
    data_source = "db"
  }

  policy {
    x509 {
      allow { dns = ["*.us.acme.internal"] }
    }
  }

  crl {
    enabled            = true
    generate_on_revoke = true
  }
}
