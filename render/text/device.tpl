{
  "subject": {{ toJson .Subject }},
  "sans": {{ toJson .SANs }},
{{- with .crl_urls }}
  "crlDistributionPoints": {{ toJson . }},
{{- end }}
{{- with .ca_issuers_urls }}
  "issuingCertificateURL": {{ toJson . }},
{{- end }}
  "keyUsage": ["digitalSignature"],
  "extKeyUsage": ["clientAuth"]
}
