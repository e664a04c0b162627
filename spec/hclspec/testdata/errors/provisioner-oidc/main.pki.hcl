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

provisioner "oidc" "patterns" {
  client_id              = "step"
  configuration_endpoint = "https://step:hunter2@id.internal"
  domains                = ["*", ""]
  admins                 = ["ada", "@acme.internal", "ada@acme.internal"]
  groups                 = ["", "PKI admins"]
  scopes                 = ["openid email"]
  auth_params            = ["prompt=consent\n"]
}
