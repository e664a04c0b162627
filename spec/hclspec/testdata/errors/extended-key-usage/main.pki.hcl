authority "b" {
  issuer = authority.root
  subject {
    common_name = "B"
  }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "5y"
  extended_key_usage = ["serverAuth", "1.3.6.1.5.5.7.3.9", "2.5.29.37.0", "1.3.6.1.4.1.99999.7"]
}
