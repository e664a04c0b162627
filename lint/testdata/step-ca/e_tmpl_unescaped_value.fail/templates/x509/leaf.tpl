{
  "subject": {"commonName": "{{ .Token.email }}", "organization": {{ toJson .organization }}},
  "sans": {{ toJson .SANs }},
  "keyUsage": ["digitalSignature"],
  "extKeyUsage": ["serverAuth"]
}
