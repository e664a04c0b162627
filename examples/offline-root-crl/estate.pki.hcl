# A root that meets once a year and still has a fresh CRL every month: each
# ceremony signs twelve, and pki crl release publishes them one by one.

estate "acme-offline" {
  environment = "lab" # production asks people; a lab may be answered by --yes

  subject {
    organization = ["ACME"]
    country      = ["US"]
  }
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
  subject { common_name = "ACME Offline Root CA G1" }

  key {
    store     = key_store.root
    algorithm = "ecdsa-p384"
  }

  validity        = "20y"
  path_length     = 1
  ca_issuers_urls = ["http://pki.acme.example/root.cer"]

  crl {
    urls        = ["http://pki.acme.example/root.crl"]
    issue_every = "30d"
    valid_for   = "45d" # a fortnight to notice that a release did not happen
    presign     = 11
  }
}

authority "issuing" {
  issuer = authority.root
  subject { common_name = "ACME Issuing CA G1" }

  key {
    store     = key_store.online
    algorithm = "ecdsa-p256"
  }

  validity    = "5y"
  path_length = 0

  crl {
    urls        = ["http://pki.acme.example/issuing.crl"]
    issue_every = "1d"
    valid_for   = "7d"
    on_timer    = true # pki crl sign issuing, after the first
  }
}
