authority "a" {
  issuer   = authority.root
  validity = "5y"
}
