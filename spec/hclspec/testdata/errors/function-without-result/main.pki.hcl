locals {
  a = log(0, 0)
  b = log(-1, 10)
  c = pow(0, -1)
  d = 0 / 0
  e = 5 % 0
}
