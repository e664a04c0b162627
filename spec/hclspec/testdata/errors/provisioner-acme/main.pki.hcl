provisioner "acme" "eab" {
  require_eab      = true
  terms_of_service = "terms.html"
  website          = "ftp://pki.internal"
  caa_identities   = ["pki example"]
}

provisioner "acme" "formats" {
  attestation_formats = ["apple", "android-key"]
}

provisioner "acme" "roots" {
  attestation_roots = ["key.pem"]
}

provisioner "acme" "tpm" {
  challenges          = ["device-attest-01"]
  attestation_formats = ["tpm"]
}

provisioner "acme" "none" {
  challenges = []
}

provisioner "acme" "twice" {
  challenges = ["http-01", "dns-01", "http-01"]
}
