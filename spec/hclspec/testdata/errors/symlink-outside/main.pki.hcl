locals {
  a = file("people/../../etc/passwd")
  b = file("/etc/passwd")
  c = filebase64("..")
}
