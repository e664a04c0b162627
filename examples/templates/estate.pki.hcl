# Many templates: what a leaf says is decided by the provisioner that gave it. A
# template stands in a file or in this one, takes data, and may serve several
# provisioners. pki validate runs each for honest and dishonest requesters.

estate "templates" {
  environment = "lab"
  subject { organization = ["ACME"] }
}

# In production a secret comes from a prompt or from custodians, never a file.
secret "root" { file = "secrets/root.txt" }
secret "online" { file = "secrets/online.txt" }
secret "clients" { file = "secrets/clients.txt" }
secret "builds" { file = "secrets/builds.txt" }

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
  extended_key_usage = ["server_auth", "client_auth", "code_signing"]
  ca_issuers_urls    = ["http://pki.acme.example/issuing.cer"]

  crl {
    urls        = ["http://pki.acme.example/issuing.crl"]
    valid_for   = "7d"
    issue_every = "1d"
  }
}

# One file, twice: only the data differ.
template "web" {
  kind = "x509"
  file = "templates/server.tpl"
  data = { organization = "ACME", unit = "Web" }
}

template "database" {
  kind = "x509"
  file = "templates/server.tpl"
  data = { organization = "ACME", unit = "Databases" }
}

template "client" {
  kind = "x509"
  file = "templates/client.tpl"
}

template "code" {
  kind = "x509"
  file = "templates/code.tpl"
}

# In place: a certificate of a device, with a policy's object identifier.
template "machine" {
  kind   = "x509"
  inline = <<-EOT
    {
      "subject": {{ toJson .Subject }},
      "sans": {{ toJson .SANs }},
      "crlDistributionPoints": {{ toJson .crl_urls }},
      "issuingCertificateURL": {{ toJson .ca_issuers_urls }},
      "keyUsage": ["digitalSignature"],
      "extKeyUsage": ["clientAuth"],
      "policyIdentifiers": {{ toJson .policies }}
    }
  EOT
  data   = { policies = ["1.3.6.1.4.1.99999.1.1"] }
}

provisioner "acme" "web" {
  challenges = ["http-01"]
  template   = template.web
}

provisioner "acme" "database" {
  challenges = ["dns-01"]
  template   = template.database
}

provisioner "jwk" "clients" {
  password = secret.clients
  template = template.client
}

provisioner "jwk" "builds" {
  password = secret.builds
  template = template.code

  claims {
    default_tls_duration = "1h"
    max_tls_duration     = "8h"
  }
}

provisioner "x5c" "devices" {
  authorities = [authority.issuing]
  template    = template.machine
}

online_ca "issuing" {
  authority        = authority.issuing
  dns_names        = ["ca.acme.internal"]
  address          = ":443"
  insecure_address = "127.0.0.1:9080"
  provisioners     = [provisioner.web, provisioner.database, provisioner.clients, provisioner.builds, provisioner.devices]

  database {
    type        = "badgerv2"
    data_source = "db"
  }

  crl {
    enabled            = true
    generate_on_revoke = true
  }
}
