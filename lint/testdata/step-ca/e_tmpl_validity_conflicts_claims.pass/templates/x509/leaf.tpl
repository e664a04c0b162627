{
  "subject": {{ toJson .Subject }},
  "sans": {{ toJson .SANs }},
  "notAfter": {{ toJson (now | dateModify "12h") }},
  "keyUsage": ["digitalSignature"],
  "extKeyUsage": ["serverAuth"]
}
