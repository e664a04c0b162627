provisioner "x5c" "bare_x5c" {
}

provisioner "x5c" "junk" {
  roots = ["junk.pem"]
}

provisioner "x5c" "empty" {
  roots = ["empty.pem"]
}

provisioner "k8ssa" "bare_k8ssa" {
}

provisioner "k8ssa" "certificate" {
  public_keys = ["junk.pem"]
  template    = template.pod
}

provisioner "k8ssa" "broken" {
  public_keys = ["broken.pem"]
  template    = template.pod
}

provisioner "nebula" "bare_nebula" {
}

template "pod" {
  kind   = "x509"
  inline = "{}"
}
