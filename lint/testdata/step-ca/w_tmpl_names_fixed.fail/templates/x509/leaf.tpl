{
  "subject": {{ toJson .Subject }},
  "dnsNames": ["api.acme.internal"],
  "keyUsage": ["digitalSignature"],
  "extKeyUsage": ["serverAuth", "clientAuth"]
}
