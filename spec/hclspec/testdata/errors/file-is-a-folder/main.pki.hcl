locals {
  a = file("people")
}
