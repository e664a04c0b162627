locals {
  a = file("people/ada.pub")
}
