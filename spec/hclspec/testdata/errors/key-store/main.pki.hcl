key_store "tpm" "a" {
  path     = "certs/keys"
  password = secret.lab
}

key_store "file" "b" {
  path     = "../keys"
  password = secret.lab
}

key_store "file" "c" {
  path     = "Rendered"
  password = secret.lab
}
