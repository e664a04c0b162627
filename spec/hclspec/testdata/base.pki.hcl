# A sound estate. The cases under errors/ are added to it, unless they bring a
# base.pki.hcl of their own.

estate "acme" {
  environment = "lab"
}

secret "lab" { prompt = true }

key_store "file" "lab" {
  path     = "keys"
  password = secret.lab
}

authority "root" {
  subject { common_name = "ACME Root CA" }

  key {
    store     = key_store.lab
    algorithm = "ecdsa-p384"
  }

  validity = "20y"

  crl {
    urls      = ["http://pki.acme.example/root.crl"]
    valid_for = "200d"
  }
}
