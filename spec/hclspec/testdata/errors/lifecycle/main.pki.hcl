authority "zero" {
  subject { common_name = "Zero" }
  validity = "20y"
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p384"
  }
  generation = 0
}

authority "silent" {
  subject { common_name = "Silent" }
  validity = "20y"
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p384"
  }
  renew_before = "1y"
}

authority "hasty" {
  subject { common_name = "Hasty" }
  validity = "1y"
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p384"
  }
  key_reuse    = true
  renew_before = "12mo"
  lifecycle {
    prevent_replace = true
  }
}
