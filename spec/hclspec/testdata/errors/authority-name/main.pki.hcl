authority "a" {
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "5y"
  subject { common_name = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" }
  issuer = authority.root
}
authority "b" {
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "5y"
  subject { common_name = " x" }
  issuer = authority.root
}
authority "c" {
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "5y"
  subject {
    common_name   = "x"
    country       = ["Germany"]
    serial_number = "no. 7"
  }
  issuer = authority.root
}
authority "d" {
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "5y"
  subject { common_name = "a\u202eb" }
  issuer = authority.root
}
