# The tree of tomorrow. Its root goes into trust stores in the same ceremony, so
# that devices made today know it when they need it. ML-DSA-87 is for what must
# hold longest; ML-DSA-65 signs more often and is smaller.

authority "root_pq" {
  subject { common_name = "Initech Root CA Q1" }

  key {
    store     = key_store.roots
    algorithm = "ml-dsa-87"
  }

  validity        = "20y"
  path_length     = 1
  ca_issuers_urls = ["${local.published}/root-pq.cer"]

  crl {
    urls        = ["${local.published}/root-pq.crl"]
    valid_for   = "360d"
    issue_every = "330d"
  }
}

authority "issuing_pq" {
  issuer = authority.root_pq
  subject { common_name = "Initech Issuing CA Q1" }

  key {
    store     = key_store.issuing
    algorithm = "ml-dsa-65"
  }

  validity           = "5y"
  path_length        = 0
  extended_key_usage = ["server_auth", "client_auth"]

  crl {
    urls        = ["${local.published}/issuing-pq.crl"]
    valid_for   = "30d"
    issue_every = "20d"
  }
}
