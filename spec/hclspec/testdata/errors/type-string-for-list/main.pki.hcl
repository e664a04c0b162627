estate "acme" {
  environment = "lab"
  subject {
    organization = "ACME"
  }
}
