provisioner "acme" "web" {
}

online_ca "us" {
  authority    = authority.root
  dns_names    = ["ca.acme.internal"]
  address      = ":443"
  provisioners = provisioner.web
}
