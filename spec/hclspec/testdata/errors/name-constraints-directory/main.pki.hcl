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
  name_constraints {
    permitted_directory = ["ACME", "C=de"]
  }
}
