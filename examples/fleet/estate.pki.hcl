# Three regions, six online CAs, one source: one issuing authority a region for
# servers and one for people. Templates, provisioners and policy are written once.

estate "acme-fleet" {
  environment = "lab" # production asks people; a lab may be answered by --yes

  subject {
    organization = ["ACME"]
    country      = ["US"]
  }
}

locals {
  regions   = toset(["ap", "eu", "us"])
  published = "http://pki.acme.example"
}

# In production a secret comes from a prompt or from custodians, never a file.
secret "root" { file = "secrets/root.txt" }
secret "online" { file = "secrets/online.txt" }
secret "deploy" { file = "secrets/deploy.txt" }

key_store "file" "root" {
  path     = "keys/root"
  password = secret.root
}

key_store "file" "online" {
  path     = "keys/online"
  password = secret.online
}

authority "root" {
  subject { common_name = "ACME Root CA G1" }

  key {
    store     = key_store.root
    algorithm = "ecdsa-p384"
  }

  validity        = "20y"
  path_length     = 1
  ca_issuers_urls = ["${local.published}/root.cer"]

  crl {
    urls        = ["${local.published}/root.crl"]
    valid_for   = "360d"
    issue_every = "330d"
  }
}

authority "servers" {
  for_each = local.regions
  issuer   = authority.root
  subject { common_name = "ACME Servers ${upper(each.key)} G1" }

  key {
    store     = key_store.online
    algorithm = "ecdsa-p384"
  }

  validity           = "5y"
  path_length        = 0
  extended_key_usage = ["server_auth", "client_auth"]
  ca_issuers_urls    = ["${local.published}/servers-${each.key}.cer"]

  crl {
    urls        = ["${local.published}/servers-${each.key}.crl"]
    valid_for   = "7d"
    issue_every = "1d"
  }
}

authority "people" {
  for_each = local.regions
  issuer   = authority.root
  subject { common_name = "ACME People ${upper(each.key)} G1" }

  key {
    store     = key_store.online
    algorithm = "ecdsa-p384"
  }

  validity           = "5y"
  path_length        = 0
  extended_key_usage = ["client_auth", "server_auth"] # step-ca's own certificate is below it; the template keeps leaves to clients
  ca_issuers_urls    = ["${local.published}/people-${each.key}.cer"]

  crl {
    urls        = ["${local.published}/people-${each.key}.crl"]
    valid_for   = "7d"
    issue_every = "1d"
  }
}

template "person" {
  kind   = "x509"
  inline = <<-EOT
    {
      "subject": {{ toJson .Subject }},
      "sans": {{ toJson .SANs }},
      "crlDistributionPoints": {{ toJson .crl_urls }},
      "issuingCertificateURL": {{ toJson .ca_issuers_urls }},
      "keyUsage": ["digitalSignature"],
      "extKeyUsage": ["clientAuth"]
    }
  EOT
}

provisioner "acme" "web" {
  challenges = ["http-01", "tls-alpn-01"]
}

provisioner "jwk" "deploy" {
  password = secret.deploy

  claims {
    default_tls_duration = "24h"
    max_tls_duration     = "7d"
  }
}

provisioner "oidc" "staff" {
  client_id              = "step-ca"
  configuration_endpoint = "https://id.acme.example/.well-known/openid-configuration"
  domains                = ["acme.example"]
  template               = template.person

  claims {
    default_tls_duration = "16h"
    max_tls_duration     = "16h"
  }
}

online_ca "servers" {
  for_each         = local.regions
  authority        = authority.servers[each.key]
  dns_names        = ["ca.${each.key}.acme.internal"]
  address          = ":443"
  insecure_address = ":80"
  provisioners     = [provisioner.web, provisioner.deploy]

  # Two nodes in each region on one database, behind a TCP balancer.
  nodes = ["ca1.${each.key}.acme.internal", "ca2.${each.key}.acme.internal"]

  database {
    type        = "postgresql"
    data_source = "postgresql://step@db.${each.key}.acme.internal/step_ca?sslmode=verify-full&passfile=/run/credentials/step-ca.service/pgpass"
    name        = "step_ca"
  }

  policy {
    x509 {
      allow { dns = ["*.${each.key}.acme.internal"] }
    }
  }

  crl {
    enabled            = true
    generate_on_revoke = true
  }
}

online_ca "people" {
  for_each         = local.regions
  authority        = authority.people[each.key]
  dns_names        = ["people.${each.key}.acme.internal"]
  address          = ":443"
  insecure_address = ":80"
  provisioners     = [provisioner.staff]

  database {
    type        = "badgerv2"
    data_source = "db"
  }

  policy {
    x509 {
      allow { email = ["@acme.example"] }
    }
  }

  crl {
    enabled            = true
    generate_on_revoke = true
  }
}
