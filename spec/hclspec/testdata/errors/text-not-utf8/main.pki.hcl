estate "acme" {
  environment  = "lab"
  organization = "Müller AG"
  country      = "DE"
}
