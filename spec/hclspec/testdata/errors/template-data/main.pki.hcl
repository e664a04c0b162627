template "server" {
  kind = "x509"
  file = "server.tpl"
  data = "x"
}
