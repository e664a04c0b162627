provisioner "acme" "web" {
  challenges = { a = "http-01" }
}
