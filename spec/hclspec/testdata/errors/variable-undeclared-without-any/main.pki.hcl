locals {
  a = var.region
}
