lint {
  clients = ["go-1.27", "go-2"]
}

authority "lattice" {
  subject { common_name = "Root" }

  key {
    store     = key_store.lab
    algorithm = "ml-dsa-87"
  }

  validity = "20y"

  crl {
    urls      = ["http://pki.example/root.crl"]
    valid_for = "360d"
  }
}

authority "below" {
  issuer = authority.lattice
  subject { common_name = "Issuing" }

  key {
    store     = key_store.lab
    algorithm = "ecdsa-p384"
  }

  validity = "5y"
}

provisioner "acme" "web" {}

online_ca "us" {
  authority    = authority.below
  dns_names    = ["ca.example"]
  address      = ":8443"
  provisioners = [provisioner.web]

  database {
    type        = "badgerv2"
    data_source = "db"
  }
}
