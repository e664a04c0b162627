online_ca "a" {
  authority = authority.root
  dns_names = []
  address   = "443"
}
online_ca "b" {
  authority = authority.i
  dns_names = ["ca.acme.internal"]
  address   = ":0"
  insecure_address = ":99999"
  provisioners     = [provisioner.web, provisioner.web]

  systemd {
    user   = "a b"
    binary = "step-ca"
  }

  crl {
    enabled        = true
    cache_duration = "1h"
    renew_period   = "2h"
  }
}

authority "i" {
  subject { common_name = "X" }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "5y"
  issuer = authority.root
}

provisioner "acme" "web" {
}
