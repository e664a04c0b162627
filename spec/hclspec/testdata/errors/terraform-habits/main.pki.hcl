terraform {
  required_version = ">= 1.5"
}
provider "vault" {}
resource "tls_private_key" "x" {
  algorithm = "RSA"
}
module "ca" {
  source = "./ca"
}
output "x" {
  value = authority.root.validity
}
data "tls_certificate" "x" {}

locals {
  a = file("${path.module}/a.txt")
  b = count.index
  c = self.name
}

authority "root" {
  count      = 2
  depends_on = [key_store.k]
  subject { common_name = "Root" }
  validity = "1y"
  dynamic "certificate_policy" {
    for_each = ["1.2.3"]
    content { oid = certificate_policy.value }
  }
  lifecycle {
    prevent_destroy       = true
    ignore_changes        = [subject]
    create_before_destroy = true
  }
}
