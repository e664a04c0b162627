online_ca "a" {
  authority    = authority.i
  dns_names    = ["ca.internal"]
  address      = "127.0.0.1:443"
  provisioners = [provisioner.admin]
  nodes        = ["ca1.internal", "ca1.internal", "ca_2"]

  database {
    type        = "badgerv2"
    data_source = "db"
  }

  kubernetes {
    namespace     = "PKI"
    image         = "smallstep/step-ca:latest"
    replicas      = 2
    storage       = "1GB"
    storage_class = "Fast!"
  }
}

online_ca "B" {
  authority    = authority.i
  dns_names    = ["ca.internal"]
  address      = ":443"
  key          = "yubikey:slot-id=9c?pin-source=secrets/pin"
  provisioners = [provisioner.admin]

  kubernetes {
    namespace = "pki"
    image     = "smallstep/step-ca"
    replicas  = 0
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
