locals {
  a = file("photo.jpg")
}
