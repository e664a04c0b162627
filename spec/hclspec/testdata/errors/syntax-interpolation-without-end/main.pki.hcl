locals {
  host = "http://${local.name/root.crl"
  name = "x"
}

locals {
  other = "y"
}
