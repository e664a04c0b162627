estate "acme" {
  environment   = "production"
  revoked_plans = ["abc"]

  quorum { approvals = 2 }
}

officer "ada" {
  role       = "administrator"
  public_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEyh5WMjwmy22lTAcrpDF5jEc0WYL2y4AWqCFjNU1BvS ada@example"
}

officer "grace" {
  role = "witness"
}
