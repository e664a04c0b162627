template "both" {
  kind   = "x509"
  file   = "x.tpl"
  inline = "{}"
}

template "neither" {
  kind = "x509"
}

template "empty" {
  kind = "x509"
  file = "empty.tpl"
}

template "broken" {
  kind   = "ssh"
  inline = "{{ toJson .Subject }"
}

template "sans" {
  kind   = "x509"
  inline = "{}"
  data   = { SANs = [] }
}

provisioner "jwk" "a" {
  password     = secret.lab
  template     = template.broken
  ssh_template = template.sans
}

template "kind" {
  kind   = "x510"
  inline = "{}"
}
