# A root whose password nobody knows. The ceremony makes it, splits it among
# five people at two sites, has each prove the share, and locks the root's key
# with it. Any three give it back. docs/custody.md tells the whole story.

estate "acme" {
  environment = "lab" # here files stand for people, so a lab may be answered by --yes

  subject {
    organization = ["ACME"]
    country      = ["US"]
  }
}

locals {
  published = "http://pki.acme.example"
}

custodians "root" {
  threshold = 3

  # In production: recipient = "age1…", the person's own public key, or neither
  # for a share on paper. No site has enough shares by itself.
  holder "alice" {
    identity = "secrets/alice.key"
    site     = "berlin"
  }
  holder "bob" {
    identity = "secrets/bob.key"
    site     = "berlin"
  }
  holder "carol" {
    identity = "secrets/carol.key"
    site     = "lisbon"
  }
  holder "dave" {
    identity = "secrets/dave.key"
    site     = "lisbon"
  }
  holder "erin" {
    identity = "secrets/erin.key"
    site     = "oslo"
  }
}

secret "root" { custodians = custodians.root } # 32 characters, 160 bits
secret "issuing" { file = "secrets/issuing.txt" }

key_store "file" "root" {
  path     = "keys/root"
  password = secret.root
}

key_store "file" "issuing" {
  path     = "keys/issuing"
  password = secret.issuing
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

authority "issuing" {
  issuer = authority.root
  subject { common_name = "ACME Issuing CA G1" }

  key {
    store     = key_store.issuing
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
