locals {
  host = "pki.acme.example
  name = "x"
}

locals {
  other = "${local.host"
}
