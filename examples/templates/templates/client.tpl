{
  "subject": {{ toJson .Subject }},
  "sans": {{ toJson .SANs }},
  "crlDistributionPoints": {{ toJson .crl_urls }},
  "issuingCertificateURL": {{ toJson .ca_issuers_urls }},
  "keyUsage": ["digitalSignature"],
  "extKeyUsage": ["clientAuth"]
}
