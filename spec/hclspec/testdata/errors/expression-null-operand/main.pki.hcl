locals {
  a = 1 + null
  b = upper(null)
  c = [for x in null : x]
  d = null.x
}
