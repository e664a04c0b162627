provisioner "radius" "a" {
}

provisioner "jwk" "b" {
  challenges = ["http-01"]
  force_cn   = true
}

provisioner "acme" "c" {
  challenges = ["http-02"]
  password   = secret.lab

  policy {
    x509 {
      allow { dns = ["a.internal"] }
    }
  }
}

provisioner "sshpop" "d" {
  template = template.x

  webhook "w" {
    url  = "https://hooks.internal"
    kind = "authorizing"
  }
}

template "x" {
  kind   = "x509"
  inline = "{}"
}
