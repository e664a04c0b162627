# The issuing key lives in a cloud KMS and never comes here. Its operator sends
# a certificate request; the root signs the public key in it and nothing else
# that the request asks for.

estate "globex" {
  environment = "lab"

  subject {
    organization = ["Globex"]
    country      = ["DE"]
  }
}

secret "root" { file = "secrets/root.txt" }
secret "admin" { file = "secrets/admin.txt" }

key_store "file" "root" {
  path     = "keys"
  password = secret.root
}

authority "root" {
  subject { common_name = "Globex Root CA G1" }

  key {
    store     = key_store.root
    algorithm = "ecdsa-p384"
  }

  validity = "20y"

  crl {
    urls        = ["http://pki.globex.example/root.crl"]
    valid_for   = "200d"
    issue_every = "180d"
  }
}

authority "eu" {
  issuer = authority.root
  subject { common_name = "Globex Issuing CA EU G1" }

  csr                = "csr/eu.csr"
  validity           = "5y"
  extended_key_usage = ["server_auth"]

  name_constraints {
    permitted_dns = ["globex.internal"]
    permitted_ip  = ["10.0.0.0/8", "fd00::/8"]
  }

  # step-ca signs this authority's CRL; the URL is in its leaves and its CRL.
  crl {
    urls = ["http://pki.globex.example/eu.crl"]
  }
}

provisioner "jwk" "admin" {
  password = secret.admin
}

online_ca "eu" {
  authority    = authority.eu
  dns_names    = ["ca.eu.globex.internal"]
  address      = ":443"
  key          = "awskms:key-id=2f6a9c1e-7b0d-4a53-9e58-6a1a8f0f1c77"
  provisioners = [provisioner.admin]

  database {
    type        = "postgresql"
    data_source = "postgresql://step@db.eu.globex.internal:5432/"
    name        = "step"
  }

  crl {
    enabled            = true
    generate_on_revoke = true
  }

  insecure_address = ":80"
}
