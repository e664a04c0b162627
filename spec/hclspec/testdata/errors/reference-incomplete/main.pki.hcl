locals {
  a = var
  b = local
}
