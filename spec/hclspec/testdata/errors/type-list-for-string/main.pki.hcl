authority "a" {
  subject { common_name = "X" }
  validity = "5y"
  csr = ["a.csr"]
  issuer = authority.root
}
