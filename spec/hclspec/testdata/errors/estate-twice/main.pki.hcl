estate "other" {
  environment = "lab"
}
