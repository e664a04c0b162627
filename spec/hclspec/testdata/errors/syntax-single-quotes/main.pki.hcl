officer 'ada' {
  role = "witness"
}
