variable "n" {
  type    = text
  default = "three"
}

variable "m" {
  type    = list
  default = []
}
