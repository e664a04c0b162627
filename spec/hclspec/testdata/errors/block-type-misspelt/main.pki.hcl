authorty "x" {
  validity = "5y"
}

online_ca "us" {
  authority = authority.x
  dns_names = ["ca.acme.internal"]
  address   = ":443"
}
