{
{{- if has .Token.email .admins }}
  "subject": {{ toJson .Insecure.CR.Subject }},
  "dnsNames": {{ toJson .Insecure.CR.DNSNames }},
  "emailAddresses": {{ toJson .Insecure.CR.EmailAddresses }},
  "ipAddresses": {{ toJson .Insecure.CR.IPAddresses }},
  "uris": {{ toJson .Insecure.CR.URIs }},
{{- else }}
  "subject": {{ toJson .Subject }},
  "sans": {{ toJson .SANs }},
{{- end }}
{{- with .crl_urls }}
  "crlDistributionPoints": {{ toJson . }},
{{- end }}
{{- with .ca_issuers_urls }}
  "issuingCertificateURL": {{ toJson . }},
{{- end }}
  "keyUsage": ["digitalSignature"{{ if typeIs "*rsa.PublicKey" .Insecure.CR.PublicKey }}, "keyEncipherment"{{ end }}],
  "extKeyUsage": ["serverAuth", "clientAuth"]
}
