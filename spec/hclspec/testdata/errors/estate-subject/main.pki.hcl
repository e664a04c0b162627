estate "acme" {
  environment = "lab"
  subject {
    country = ["de"]
  }
}

secret "lab" { prompt = true }

key_store "file" "lab" {
  path     = "keys"
  password = secret.lab
}

authority "root" {
  subject { common_name = "X" }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "5y"
}
