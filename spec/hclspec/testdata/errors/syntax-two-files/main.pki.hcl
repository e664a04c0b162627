secret "a" {
  file = "x
}
