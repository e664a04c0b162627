provisioner "acme" "a" {
  claims {
    max_tls_duration = "12h"
  }
}

provisioner "acme" "b" {
  claims {
    min_tls_duration     = "2h"
    default_tls_duration = "1h"
  }
}
