online_ca "a" {
  authority    = authority.i
  dns_names    = ["ca.internal"]
  address      = ":443"
  provisioners = [provisioner.one, provisioner.two, provisioner.scep, provisioner.long]
}

provisioner "oidc" "one" {
  client_id              = "step"
  configuration_endpoint = "https://one.internal"
  domains                = ["acme.internal"]
}

provisioner "oidc" "two" {
  client_id              = "step"
  configuration_endpoint = "https://two.internal"
  domains                = ["acme.internal"]
}

provisioner "scep" "scep" {
  webhook "challenge" {
    url  = "https://hooks.internal"
    kind = "scepchallenge"
  }
}

provisioner "jwk" "long" {
  password = secret.lab

  claims {
    max_tls_duration           = "3650d"
    min_host_ssh_duration      = "48h"
    max_host_ssh_duration      = "24h"
    disable_renewal            = true
    allow_renewal_after_expiry = true
  }
}

authority "i" {
  issuer = authority.root
  subject { common_name = "X" }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "5y"
}
