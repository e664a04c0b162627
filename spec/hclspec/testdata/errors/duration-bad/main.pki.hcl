authority "months" {
  subject { common_name = "X" }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "18m"
  issuer = authority.root
}
authority "bare" {
  subject { common_name = "X" }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "20"
  issuer = authority.root
}
authority "fraction" {
  subject { common_name = "X" }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "1.5y"
  issuer = authority.root
}
authority "order" {
  subject { common_name = "X" }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "3d1y"
  issuer = authority.root
}
authority "twice" {
  subject { common_name = "X" }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "1y1y"
  issuer = authority.root
}
authority "empty" {
  subject { common_name = "X" }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = ""
  issuer = authority.root
}
authority "zero" {
  subject { common_name = "X" }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "0d"
  issuer = authority.root
}
authority "huge" {
  subject { common_name = "X" }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "1000000y"
  issuer = authority.root
}
authority "word" {
  subject { common_name = "X" }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity = "year"
  issuer = authority.root
}
