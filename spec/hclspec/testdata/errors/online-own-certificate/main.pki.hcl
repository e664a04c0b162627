# step-ca signs the certificate of its own listener below what fences its leaves in.
online_ca "clients" {
  authority    = authority.clients
  dns_names    = ["ca.internal"]
  address      = ":443"
  provisioners = [provisioner.admin]
}

online_ca "fenced" {
  authority    = authority.fenced
  dns_names    = ["ca.acme.internal", "ca.notacme.internal", "10.1.2.3", "192.168.1.1", "secret.acme.internal"]
  address      = ":443"
  provisioners = [provisioner.admin]
}

provisioner "jwk" "admin" {
  password = secret.lab
}

authority "clients" {
  issuer = authority.root
  subject { common_name = "X" }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity           = "5y"
  extended_key_usage = ["client_auth"]
}

authority "fenced" {
  issuer = authority.root
  subject { common_name = "Y" }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "5y"
  name_constraints {
    permitted_dns = ["acme.internal"]
    excluded_dns  = ["secret.acme.internal"]
    permitted_ip  = ["10.0.0.0/8"]
    critical      = true
  }
}
