{
  "subject": {{ toJson .Subject }},
  "sans": {{ toJson .SANs }},
  "crlDistributionPoints": {{ toJson .crl_urls }},
  "keyUsage": ["digitalSignature"],
  "extKeyUsage": ["serverAuth"]
}
