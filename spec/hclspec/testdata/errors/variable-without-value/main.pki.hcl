variable "region" {
  type = string
}

locals {
  a = var.region
}
