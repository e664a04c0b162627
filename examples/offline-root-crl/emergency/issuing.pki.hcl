# The emergency, prepared. Copy this file beside estate.pki.hcl, and:
#
#   pki plan --var revoked_at=2027-03-01T08:00:00Z --out emergency.json
#
# The plan signs one CRL of the root, which makes the rest of the stack void,
# and a new stack above it.

variable "revoked_at" {
  description = "Since when the key of the issuing authority is not to be trusted."
  type        = string
}

revocation "issuing" {
  certificate = "certs/issuing.crt"
  reason      = "ca_compromise"
  date        = var.revoked_at
}
