variable "region" {
  type    = string
  default = "us"
}

locals {
  a = var.regin
}
