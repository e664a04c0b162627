# Active revocation: step ca revoke takes effect at every client that reads lists,
# within the hour. step-ca signs a list at each revocation, and again every two
# thirds of an hour; every leaf names the URL, and the web server fetches the list
# for rendered/site. Passive revocation, which is step-ca's own, only refuses to
# renew: leaves live for 30 days here, and that would be too long to wait.

estate "active-revocation" {
  environment = "lab"
  subject { organization = ["ACME"] }
}

# In production a secret comes from a prompt or from custodians, never a file.
secret "root" { file = "secrets/root.txt" }
secret "online" { file = "secrets/online.txt" }

key_store "file" "root" {
  path     = "keys/root"
  password = secret.root
}

key_store "file" "online" {
  path     = "keys/online"
  password = secret.online
}

authority "root" {
  subject { common_name = "ACME Root CA" }

  key {
    store     = key_store.root
    algorithm = "ecdsa-p384"
  }

  validity        = "20y"
  path_length     = 1
  ca_issuers_urls = ["http://pki.acme.example/root.cer"]

  crl {
    urls        = ["http://pki.acme.example/root.crl"]
    valid_for   = "360d"
    issue_every = "330d"
  }
}

authority "issuing" {
  issuer = authority.root
  subject { common_name = "ACME Issuing CA" }

  key {
    store     = key_store.online
    algorithm = "ecdsa-p256"
  }

  validity           = "5y"
  path_length        = 0
  extended_key_usage = ["server_auth", "client_auth"]
  ca_issuers_urls    = ["http://pki.acme.example/issuing.cer"]

  crl {
    urls        = ["http://pki.acme.example/issuing.crl"]
    valid_for   = "7d"
    issue_every = "1d"
  }
}

provisioner "acme" "web" {
  challenges = ["http-01", "tls-alpn-01"]

  claims {
    default_tls_duration = "30d"
    max_tls_duration     = "30d"
  }
}

# Who may revoke: whoever holds the certificate's key, and this provisioner by a
# token, as in step ca revoke --token "$(step ca token --revoke SERIAL)" SERIAL.
secret "admin" { file = "secrets/admin.txt" }

provisioner "jwk" "admin" { password = secret.admin }

online_ca "issuing" {
  authority        = authority.issuing
  dns_names        = ["ca.acme.example"]
  address          = ":443"
  insecure_address = "127.0.0.1:9080" # the web server fetches the list here
  provisioners     = [provisioner.web, provisioner.admin]

  database {
    type        = "badgerv2"
    data_source = "db"
  }

  policy {
    x509 {
      allow { dns = ["*.acme.example"] }
    }
  }

  crl {
    enabled            = true
    generate_on_revoke = true
    cache_duration     = "1h"
    renew_period       = "40m"
  }
}
