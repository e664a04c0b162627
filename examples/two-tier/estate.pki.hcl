# Two tiers, on the embedded key store: a root that is used once a year, and an
# issuing authority whose key step-ca uses every day.

estate "acme" {
  environment = "lab" # production asks people; a lab may be answered by --yes

  subject {
    organization = ["ACME"]
    country      = ["US"]
  }
}

variable "crl_host" {
  description = "Where CRLs and CA certificates are published, over plain http."
  type        = string
  default     = "pki.acme.example"

  validation {
    condition     = can(regex("^[a-z0-9.:-]+$", var.crl_host))
    error_message = "Write a host name in small letters, such as pki.acme.example."
  }
}

locals {
  published = "http://${var.crl_host}"
}

# In production a secret comes from a prompt or from custodians, never a file.
secret "root" { file = "secrets/root.txt" }
secret "online" { file = "secrets/online.txt" }
secret "admin" { file = "secrets/admin.txt" }

key_store "file" "root" {
  path     = "keys/root"
  password = secret.root
}

key_store "file" "online" {
  path     = "keys/online"
  password = secret.online
}

lint {
  profile = "private"
  fail_on = "error"
}
