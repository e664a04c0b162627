authority "a" {
  subject { common_name = "X" }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "5y"
  issuer = authority.other
}

provisioner "jwk" "j" {
  password = secret.admin
}

provisioner "acme" "w" {
  template = template.none
}
