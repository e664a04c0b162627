authority "a" {
  subject { common_name = "X" }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "5y"
  issuer = authority.root
  name_constraints {
    permitted_dns   = [".acme.internal", "", "*.acme.internal"]
    excluded_dns    = ["acmé.internal"]
    permitted_ip    = ["10.0.0.1/8", "10.0.0.0"]
    excluded_ip     = ["::/129"]
    permitted_email = ["*@acme.example"]
    excluded_email  = [""]
    permitted_uri   = ["http://acme.internal"]
    excluded_uri    = ["acme.internal/x"]
  }
}
authority "b" {
  subject { common_name = "X" }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "5y"
  issuer = authority.root
  name_constraints {
  }
}
