provisioner "acme" {
}
