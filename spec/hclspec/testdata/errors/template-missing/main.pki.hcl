template "server" {
  kind = "x509"
  file = "templates/server.tpl"
}

template "ssh" {
  kind = "ssh"
  file = "../x.tpl"
}
