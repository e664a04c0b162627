secret "a" "b" {
  prompt = true
}
