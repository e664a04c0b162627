locals {
  a = uper("x")
  b = timestamp()
  c = blob("x")
}
