{
  "subject": {{ toJson .Subject }},
  "sans": {{ toJson .SANs }},
  "notAfter": {{ toJson (now | dateModify "8760h") }},
  "keyUsage": ["digitalSignature"],
  "extKeyUsage": ["serverAuth"]
}
