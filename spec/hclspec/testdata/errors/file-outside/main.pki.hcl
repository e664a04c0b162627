locals {
  a = file("../secret.txt")
  b = file("/etc/passwd")
  c = file("")
}
