authority "a" {
  subject { common_name = "X" }
  validity = "5y"
  csr = "csr/a.csr"
  issuer = authority.root
}
