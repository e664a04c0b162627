provisioner "oidc" "bare_oidc" {
}

provisioner "oidc" "open" {
  client_id              = "step"
  client_secret          = "hunter2"
  configuration_endpoint = "http://id.internal"
  listen_address         = "10000"
}

provisioner "oidc" "sound" {
  client_id              = "step"
  configuration_endpoint = "https://id.internal"
  domains                = ["acme.internal"]
}
