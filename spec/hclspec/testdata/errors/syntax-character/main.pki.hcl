secret “a” {
}
