locals {
  urls = authority.root.crl.urls[3]
}
