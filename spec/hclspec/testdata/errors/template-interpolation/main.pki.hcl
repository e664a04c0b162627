locals {
  a = "x ${[1]} y"
  b = "x ${null}"
}
