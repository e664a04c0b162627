template "server" {
  kind = "x509"
  file = "templates/server.tpl"
  data = { organization = "ACME" }
}

provisioner "jwk" "admin" {
  password = secret.admin
  template = template.server

  claims {
    max_tls_duration     = "7d"
    default_tls_duration = "24h"
  }
}

provisioner "acme" "web" {
  challenges = ["http-01", "tls-alpn-01"]
}

online_ca "us" {
  authority        = authority.issuing
  dns_names        = ["ca.acme.internal", "localhost"]
  address          = ":8443"
  insecure_address = ":8080"
  provisioners     = [provisioner.admin, provisioner.web]

  database {
    type        = "badgerv2"
    data_source = "db"
  }

  # The URL comes from authority.issuing, so leaves and CRL cannot disagree.
  crl {
    enabled            = true
    generate_on_revoke = true
    cache_duration     = "24h"
    renew_period       = "16h"
  }
}
