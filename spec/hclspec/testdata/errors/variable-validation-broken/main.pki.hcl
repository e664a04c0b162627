variable "host" {
  type    = string
  default = "pki"

  validation {
    condition     = var.hots != ""
    error_message = "Never shown."
  }

  validation {
    condition     = "perhaps"
    error_message = "Never shown."
  }

  validation {
    condition     = local.x
    error_message = "Never shown."
  }

  validation {
    condition     = false
    error_message = ["x"]
  }

  validation {
    condition = true
  }
}

variable "port" {
  type    = string
  default = "1"

  validation {
    condition     = local.x
    error_message = "Never shown."
  }

  validation {
    condition     = null
    error_message = "Never shown."
  }

  validation {
    condition     = false
    error_message = " "
  }

  validation {
    condition     = false
    error_message = null
  }
}
