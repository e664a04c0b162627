online_ca "a" {
  authority    = authority.i
  dns_names    = ["ca0.internal"]
  address      = ":443"
  provisioners = [provisioner.admin]

  database {
    type        = "badgerv2"
    data_source = "db"
    name        = "ca"
  }
}

online_ca "b" {
  authority    = authority.i
  dns_names    = ["ca1.internal"]
  address      = ":443"
  provisioners = [provisioner.admin]

  database {
    type        = "mysql"
    data_source = "mysql://step@db/"
  }
}

online_ca "c" {
  authority    = authority.i
  dns_names    = ["ca2.internal"]
  address      = ":443"
  provisioners = [provisioner.admin]

  database {
    type        = "mysql"
    data_source = "step@unix(/run/mysqld/mysqld.sock)/"
  }
}

online_ca "d" {
  authority    = authority.i
  dns_names    = ["ca3.internal"]
  address      = ":443"
  provisioners = [provisioner.admin]

  database {
    type        = "mysql"
    data_source = "step@tcp(db:3306)/step"
    name        = "step`ca"
  }
}

online_ca "e" {
  authority    = authority.i
  dns_names    = ["ca4.internal"]
  address      = ":443"
  provisioners = [provisioner.admin]

  database {
    type        = "postgresql"
    data_source = "db.internal"
  }
}

online_ca "f" {
  authority    = authority.i
  dns_names    = ["ca5.internal"]
  address      = ":443"
  provisioners = [provisioner.admin]

  database {
    type        = "postgresql"
    data_source = "postgresql://db/?sslpassword=x"
  }
}

online_ca "g" {
  authority    = authority.i
  dns_names    = ["ca6.internal"]
  address      = ":443"
  provisioners = [provisioner.admin]

  database {
    type        = "postgresql"
    data_source = "host=db user=step"
  }
}

online_ca "h" {
  authority    = authority.i
  dns_names    = ["ca7.internal"]
  address      = ":443"
  provisioners = [provisioner.admin]

  database {
    type        = "oracle"
    data_source = "db"
  }
}

online_ca "names" {
  authority    = authority.i
  dns_names    = ["CA.internal", "ca.internal", "fe80::1%eth0", "127.1", "2001:db8::1"]
  common_name  = "two\nlines"
  address      = "[fe80::1%eth0]:443"
  provisioners = [provisioner.admin]
}

online_ca "aux" {
  authority    = authority.i
  dns_names    = ["aux.internal"]
  address      = ":443"
  provisioners = [provisioner.admin]
}

template "leaf_one" {
  kind   = "x509"
  inline = "{}"
}

template "Leaf_One" {
  kind   = "x509"
  inline = "{}"
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
