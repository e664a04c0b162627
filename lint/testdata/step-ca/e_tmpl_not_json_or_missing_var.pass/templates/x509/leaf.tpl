{
  "subject": {{ toJson .Subject }},
  "sans": {{ toJson .SANs }},
{{- with .crl_urls }}
  "crlDistributionPoints": {{ toJson . }},
{{- end }}
  "ocspServer": {{ toJson .ocsp }},
  "keyUsage": ["digitalSignature"],
  "extKeyUsage": ["serverAuth"]
}
