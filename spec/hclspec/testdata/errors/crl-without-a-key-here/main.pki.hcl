authority "a" {
  subject { common_name = "X" }
  validity = "5y"
  issuer = authority.root
  crl {
    urls      = ["http://pki.acme.example/a.crl"]
    valid_for = "7d"
  }
  csr = "a.csr"
}
