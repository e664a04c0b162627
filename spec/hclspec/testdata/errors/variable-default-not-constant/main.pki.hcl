locals {
  x = 1
}

variable "n" {
  default = local.x + other
}
