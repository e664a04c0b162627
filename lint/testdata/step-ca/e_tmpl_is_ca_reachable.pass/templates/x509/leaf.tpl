{
  "subject": {{ toJson .Subject }},
  "sans": {{ toJson .SANs }},
  "basicConstraints": {"isCA": false},
  "keyUsage": ["digitalSignature"],
  "extKeyUsage": ["serverAuth"]
}
