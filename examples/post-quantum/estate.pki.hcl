# Two trees from one description: a classical one, which every client can
# verify today, and one of ML-DSA (FIPS 204), which is put into trust stores now
# and takes over when the clients can verify it. docs/post-quantum.md is the plan
# of the migration.

estate "initech" {
  environment = "lab" # production asks people; a lab may be answered by --yes

  subject {
    organization = ["Initech"]
    country      = ["US"]
  }
}

locals {
  published = "http://pki.initech.example"
}

# In production a secret comes from a prompt or from custodians, never a file.
secret "roots" { file = "secrets/roots.txt" }
secret "issuing" { file = "secrets/issuing.txt" }
secret "admin" { file = "secrets/admin.txt" }

key_store "file" "roots" {
  path     = "keys/roots"
  password = secret.roots
}

key_store "file" "issuing" {
  path     = "keys/issuing"
  password = secret.issuing
}

lint {
  profile = "private"
  fail_on = "error"
}
