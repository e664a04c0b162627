provisioner "oidc" "a" {
}

provisioner "jwk" "b" {
  challenges = ["http-01"]
  force_cn   = true
}

provisioner "acme" "c" {
  challenges = ["http-02"]
  password   = secret.lab
}
