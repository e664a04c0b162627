variable "a" {
  type     = list(string)
  default  = null
  nullable = false
}
variable "b" {
  type     = number
  nullable = false
}
