# An estate that lives in Git: every change is a pull request, in which the
# plan says what the change means. ci/check.sh is what machines run.

estate "acme" {
  environment = "lab" # production asks people; a lab may be answered by --yes

  subject {
    organization = ["ACME"]
    country      = ["US"]
  }
}

variable "regions" {
  description = "Where we issue. A region that is added here is a new authority."
  type        = set(string)
  default     = ["eu", "us"]

  validation {
    condition     = alltrue([for r in var.regions : can(regex("^[a-z]{2,8}$", r))])
    error_message = "A region is two to eight small letters, such as eu."
  }
}

secret "root" { file = "secrets/root.txt" }
secret "online" { file = "secrets/online.txt" }

key_store "file" "root" {
  path     = "keys/root"
  password = secret.root
}

key_store "file" "online" {
  path     = "keys/online"
  password = secret.online
}

authority "root" {
  subject { common_name = "ACME Root CA G1" }

  key {
    store     = key_store.root
    algorithm = "ecdsa-p384"
  }

  validity        = "20y"
  path_length     = 1
  ca_issuers_urls = ["http://pki.acme.example/root.cer"]

  crl {
    urls        = ["http://pki.acme.example/root.crl"]
    valid_for   = "360d"
    issue_every = "330d"
  }
}

authority "issuing" {
  for_each = var.regions
  issuer   = authority.root

  subject { common_name = "ACME Issuing CA ${upper(each.key)} G1" }

  key {
    store     = key_store.online
    algorithm = "ecdsa-p256"
  }

  validity           = "5y"
  path_length        = 0
  extended_key_usage = ["server_auth", "client_auth"]

  name_constraints {
    permitted_dns = ["${each.key}.acme.internal"]
    excluded_ip   = ["0.0.0.0/0", "::/0"]
    accepts       = ["host.${each.key}.acme.internal"]
    refuses       = ["host.acme.internal", "10.0.0.1"]
  }

  crl {
    urls      = ["http://pki.acme.example/issuing-${each.key}.crl"]
    valid_for = "10d"
  }
}
