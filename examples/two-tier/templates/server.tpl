{
  "subject": {
    "commonName": {{ toJson .Subject.CommonName }},
    "organization": {{ toJson .organization }}
  },
  "sans": {{ toJson .SANs }},
  {{- if typeIs "*rsa.PublicKey" .Insecure.CR.PublicKey }}
  "keyUsage": ["digitalSignature", "keyEncipherment"],
  {{- else }}
  "keyUsage": ["digitalSignature"],
  {{- end }}
  "extKeyUsage": ["serverAuth", "clientAuth"],
  "crlDistributionPoints": {{ toJson .crl_urls }},
  "issuingCertificateURL": {{ toJson .ca_issuers_urls }}
}
