authority "a" {
  validity = "5y"
