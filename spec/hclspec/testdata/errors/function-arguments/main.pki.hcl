locals {
  a = upper()
  b = upper("x", "y")
  c = upper([])
  d = regex("(", "x")
  e = jsondecode("{")
}
