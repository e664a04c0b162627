authority "a" {
  validity = 
}
