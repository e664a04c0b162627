{
  "subject": {
    "commonName": {{ toJson .Subject.CommonName }},
    "organization": {{ toJson .organization }},
    "organizationalUnit": {{ toJson .unit }}
  },
  "sans": {{ toJson .SANs }},
  "crlDistributionPoints": {{ toJson .crl_urls }},
  "issuingCertificateURL": {{ toJson .ca_issuers_urls }},
{{- if typeIs "*rsa.PublicKey" .Insecure.CR.PublicKey }}
  "keyUsage": ["digitalSignature", "keyEncipherment"],
{{- else }}
  "keyUsage": ["digitalSignature"],
{{- end }}
  "extKeyUsage": ["serverAuth"]
}
