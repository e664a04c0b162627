authority "a" {
  subject { common_name = "X" }
  validity = "5y"
  csr = "a.csr"
  issuer = authority.root
}
authority "b" {
  subject { common_name = "X" }
  validity = "5y"
  csr = "b.csr"
  issuer = authority.root
}
