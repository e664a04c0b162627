provisioner "acme" "web" {
  claims {
    min_tls_duration     = "5 minutes"
    max_tls_duration     = "1y"
    default_tls_duration = "0s"
  }
}
