# Three regions and two hundred sites from one table: a root, a policy authority
# for each region, and an issuing authority for each site.

estate "fleet" {
  environment = "lab"

  subject {
    organization = ["ACME"]
    country      = ["US"]
  }
}

locals {
  sites   = { for s in csvdecode(file("sites.csv")) : s.site => s }
  regions = toset([for s in values(local.sites) : s.region])
  host    = "http://pki.acme.example"
}

secret "lab" { file = "secrets/lab.txt" }

key_store "file" "root" {
  path     = "keys/root"
  password = secret.lab
}

key_store "file" "region" {
  for_each = local.regions
  path     = "keys/${each.key}"
  password = secret.lab
}

authority "root" {
  subject { common_name = "ACME Fleet Root CA G1" }

  key {
    store     = key_store.root
    algorithm = "ecdsa-p384"
  }

  validity        = "20y"
  path_length     = 2
  ca_issuers_urls = ["${local.host}/root.cer"]

  crl {
    urls      = ["${local.host}/root.crl"]
    valid_for = "360d"
  }
}

authority "region" {
  for_each = local.regions
  issuer   = authority.root

  subject { common_name = "ACME Fleet ${upper(each.key)} CA G1" }

  key {
    store     = key_store.region[each.key]
    algorithm = "ecdsa-p384"
  }

  validity           = "10y"
  path_length        = 1
  extended_key_usage = ["server_auth", "client_auth"]
  ca_issuers_urls    = ["${local.host}/region-${each.key}.cer"]

  crl {
    urls      = ["${local.host}/region-${each.key}.crl"]
    valid_for = "360d"
  }
}

authority "site" {
  for_each = local.sites
  issuer   = authority.region[each.value.region]

  subject {
    common_name         = "ACME Fleet ${upper(each.key)} CA G1"
    organizational_unit = [authority.region[each.value.region].subject.common_name]
  }

  key {
    store     = key_store.region[each.value.region]
    algorithm = "ecdsa-p256"
  }

  validity           = "3y"
  path_length        = 0
  extended_key_usage = ["server_auth", "client_auth"]

  name_constraints {
    permitted_dns = ["${each.key}.acme.internal"]
    permitted_ip  = [each.value.network]
    accepts       = ["host.${each.key}.acme.internal", cidrhost(each.value.network, 7)]
    refuses       = ["host.acme.internal", "192.0.2.1"]
  }

  crl {
    urls      = ["${local.host}/site-${each.key}.crl"]
    valid_for = "10d"
  }
}
