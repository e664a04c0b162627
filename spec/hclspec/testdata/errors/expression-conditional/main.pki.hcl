locals {
  a = true ? [1] : { b = 2 }
  b = 5 ? 1 : 2
  c = null ? 1 : 2
}
