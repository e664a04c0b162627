provisioner "aws" "bare_aws" {
  imds_versions = ["v3"]
  iid_roots     = "missing.pem"
}

provisioner "aws" "account" {
  accounts            = ["123"]
  disable_custom_sans = true
  project_ids         = ["p"]
}

provisioner "gcp" "bare_gcp" {
  disable_custom_sans = true
}

provisioner "gcp" "both" {
  disable_custom_sans = true
  project_ids         = ["p"]
  organization_id     = "o"
}

provisioner "azure" "bare_azure" {
  disable_custom_sans = true
}

provisioner "azure" "tenant" {
  tenant_id           = "ACME Ltd"
  disable_custom_sans = true
}
