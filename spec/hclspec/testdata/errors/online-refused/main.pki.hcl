online_ca "a" {
  authority               = authority.i
  dns_names               = ["ca.internal", "ca_.internal"]
  address                 = ":443"
  metrics_address         = "9090"
  provisioners            = [provisioner.admin]
  enable_admin            = true
  password                = "hunter2"
  deployment_type         = "linked"
  disable_issued_at_check = true
  additional_roots        = [authority.i, authority.root]
  federated_authorities   = [authority.i]
  federated_roots         = ["empty.pem"]

  tls {
    min_version   = "1.1"
    cipher_suites = ["TLS_RSA_WITH_AES_128_CBC_SHA"]
    renegotiation = true
  }

  logger {
    format = "xml"
  }

  database {
    type        = "bbolt"
    data_source = "db/ca.db"
    value_dir   = "values"
  }
}

online_ca "b" {
  authority    = authority.i
  dns_names    = ["ca.internal"]
  address      = ":443"
  provisioners = [provisioner.admin]

  tls {
    min_version = "1.3"
    max_version = "1.2"
  }
}

online_ca "c" {
  authority        = authority.i
  dns_names        = ["ca.internal"]
  address          = "ca.internal:8443"
  insecure_address = ":8443"
  metrics_address  = "a b\nc:09090"
  provisioners     = [provisioner.admin]

  systemd {
    user = "root"
  }
}

provisioner "jwk" "admin" {
  password = secret.lab
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
