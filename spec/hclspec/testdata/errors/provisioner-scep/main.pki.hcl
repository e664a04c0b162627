provisioner "scep" "secrets" {
  challenge                 = "hunter2"
  decrypter_key_password    = "hunter2"
  decrypter_key             = "secrets/scep.key"
  encryption_algorithm      = "des-cbc"
  minimum_public_key_length = 1024
}
