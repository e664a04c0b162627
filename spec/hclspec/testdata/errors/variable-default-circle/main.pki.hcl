locals {
  x = var.n
}

variable "n" {
  default = local.x
}
