{
  "subject": {
    "commonName": {{ toJson .Subject.CommonName }},
    "organization": {{ toJson .organization }}
  },
  "sans": {{ toJson .SANs }},
  "keyUsage": ["digitalSignature"],
  "extKeyUsage": ["serverAuth", "clientAuth"],
  "crlDistributionPoints": {{ toJson .crl_urls }},
  "issuingCertificateURL": {{ toJson .ca_issuers_urls }}
}
