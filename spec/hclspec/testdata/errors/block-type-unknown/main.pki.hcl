certificate "x" {
}
