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

authority "issuing" {
  issuer = authority.root
  subject { common_name = "ACME Issuing CA G1" }

  key {
    store     = key_store.online
    algorithm = "ecdsa-p384"
  }

  validity           = "5y"
  path_length        = 0
  extended_key_usage = ["server_auth", "client_auth"]
  ca_issuers_urls    = ["${local.published}/issuing.cer"]

  crl {
    urls        = ["${local.published}/issuing.crl"]
    valid_for   = "7d"
    issue_every = "1d"
  }
}
