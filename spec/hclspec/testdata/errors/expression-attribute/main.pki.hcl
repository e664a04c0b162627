locals {
  a = { b = 1 }
  c = local.a.d
  e = [1][7]
}
