lint {
  for_each = toset(["a"])
}
variable "v" {
  for_each = toset(["a"])
}
