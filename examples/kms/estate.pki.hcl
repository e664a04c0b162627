# The issuing key never leaves a key manager: AWS KMS here. The root signs a
# request that was made there, and step-ca signs with the key where it is. The
# other managers are one line each:
#
#   key = "cloudkms:projects/P/locations/L/keyRings/R/cryptoKeys/K/cryptoKeyVersions/1"
#   key = "azurekms:name=issuing;vault=acme"
#   key = "pkcs11:module-path=/usr/lib/libhsm.so;token=issuing;id=01;object=issuing?pin-source=/run/credentials/step-ca.service/pin"
#   key = "yubikey:slot-id=9c?pin-source=/run/credentials/step-ca.service/pin"
#   key = "tpmkms:name=issuing"

estate "acme-kms" {
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
  csr                = "csr/issuing.csr"
  validity           = "5y"
  path_length        = 0
  extended_key_usage = ["server_auth", "client_auth"]
  ca_issuers_urls    = ["http://pki.acme.example/issuing.cer"]

  crl { urls = ["http://pki.acme.example/issuing.crl"] }
}

# Instances of one account get the names that AWS vouches for, and no others.
provisioner "aws" "instances" {
  accounts            = ["123456789012"]
  imds_versions       = ["v2"]
  instance_age        = "1h"
  disable_custom_sans = true
}

provisioner "jwk" "admin" {
  password = secret.online
}

online_ca "cloud" {
  authority        = authority.issuing
  dns_names        = ["ca.acme.internal"]
  address          = ":443"
  insecure_address = ":80"
  key              = "awskms:key-id=6d1a3c4e-0000-4000-8000-000000000001;region=eu-central-1"
  provisioners     = [provisioner.instances, provisioner.admin]

  database {
    type        = "mysql"
    data_source = "step@unix(/run/mysqld/mysqld.sock)/" # peer authentication: no password
    name        = "step_ca"
  }

  crl {
    enabled            = true
    generate_on_revoke = true
  }
}
