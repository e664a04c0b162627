# The tree of today. step-ca stands below it: step-ca and its clients verify
# what Go verifies, and Go knows no ML-DSA before 1.27.

authority "root" {
  subject { common_name = "Initech Root CA G1" }

  key {
    store     = key_store.roots
    algorithm = "ecdsa-p384"
  }

  validity        = "15y"
  path_length     = 1
  ca_issuers_urls = ["${local.published}/root.cer"]

  crl {
    urls        = ["${local.published}/root.crl"]
    valid_for   = "360d"
    issue_every = "330d"
  }
}

authority "issuing" {
  issuer = authority.root
  subject { common_name = "Initech Issuing CA G1" }

  key {
    store     = key_store.issuing
    algorithm = "ecdsa-p384"
  }

  validity           = "5y"
  path_length        = 0
  extended_key_usage = ["server_auth", "client_auth"]

  crl {
    urls        = ["${local.published}/issuing.crl"]
    valid_for   = "7d"
    issue_every = "1d"
  }
}

provisioner "jwk" "admin" {
  password = secret.admin
}

online_ca "us" {
  authority        = authority.issuing
  dns_names        = ["ca.initech.internal"]
  address          = ":8443"
  insecure_address = ":8080"
  provisioners     = [provisioner.admin]

  database {
    type        = "badgerv2"
    data_source = "db"
  }

  crl {
    enabled        = true
    cache_duration = "24h"
    renew_period   = "16h"
  }
}
