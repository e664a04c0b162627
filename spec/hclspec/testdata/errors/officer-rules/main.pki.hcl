officer "ada" {
  role       = "boss"
  public_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEyh5WMjwmy22lTAcrpDF5jEc0WYL2y4AWqCFjNU1BvS ada@example"
}

officer "grace" {
  role       = "witness"
  public_key = "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"TKHlYyPCbLbaVMByukMXmMRzRZgvbLgBaoIWM1TUG9I\"}"
}

officer "eve" {
  role       = "auditor"
  public_key = "ssh-ed25519 AAAA"
}
