variable "n" {
  type    = number
  default = "three"
}

variable "m" {
  type    = bool
  default = true
}

variable "l" {
  type    = list(string)
  default = []
}

variable "k" {
  type    = list(string)
  default = []
}
