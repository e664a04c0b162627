estate "acme" {
  environment = "prod"
}
