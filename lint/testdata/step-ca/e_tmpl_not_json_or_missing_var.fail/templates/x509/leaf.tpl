{
  "subject": {{ toJson .Subject }},
  "sans": {{ toJson .SANs }},
  "crlDistributionPoints": {{ toJson .crl_url }},
  "keyUsage": ["digitalSignature"],
  "extKeyUsage": ["serverAuth"],
}
