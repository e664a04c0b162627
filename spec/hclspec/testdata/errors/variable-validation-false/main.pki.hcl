variable "host" {
  type    = string
  default = "PKI"

  validation {
    condition     = lower(var.host) == var.host
    error_message = "Write the host in small letters"
  }

  validation {
    condition     = length(split(".", var.host)) > 1
    error_message = "Write a host with a dot, such as pki.${lower(var.host)}."
  }
}
