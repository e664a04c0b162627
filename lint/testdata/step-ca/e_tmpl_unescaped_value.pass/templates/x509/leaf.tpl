{
  "subject": {{ toJson .Subject }},
  "sans": {{ toJson .SANs }},
  "policyIdentifiers": ["1.3.6.1.4.1.99999.{{ .arc }}"],
  "keyUsage": ["digitalSignature"],
  "extKeyUsage": ["serverAuth"]
}
