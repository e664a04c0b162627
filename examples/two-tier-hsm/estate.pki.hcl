# Two tiers on hardware: the root's key is born on a token and stays there, the
# issuing authority's key on a second one. The tokens here are SoftHSM's; with
# a real HSM only module, token and serial change. docs/hardware.md tells how to
# make the two tokens.

estate "acme" {
  environment = "lab" # production asks people; a lab may be answered by --yes

  subject {
    organization = ["ACME"]
    country      = ["US"]
  }
}

locals {
  published = "http://pki.acme.example"
  module    = "/usr/lib/softhsm/libsofthsm2.so"
}

# In production a PIN comes from a prompt or from custodians, never a file.
secret "root_pin" { file = "secrets/root-pin.txt" }
secret "issuing_pin" { file = "secrets/issuing-pin.txt" }

key_store "pkcs11" "root" {
  module = local.module # add module_sha256 to pin the vendor's code
  token  = "acme-root"  # label; add serial to tell a clone from the real one
  pin    = secret.root_pin
  # capabilities = "root.json" # as pki token test root --out root.json writes it
}

key_store "pkcs11" "issuing" {
  module = local.module
  token  = "acme-issuing"
  pin    = secret.issuing_pin
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
