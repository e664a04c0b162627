{
  "subject": {{ toJson .Subject }},
  "sans": {{ toJson .SANs }},
{{- if has .Insecure.User.unit (list "ops" "web") }}
  "policyIdentifiers": [{{ toJson .Insecure.User.unit }}],
{{- end }}
  "keyUsage": ["digitalSignature"{{ if typeIs "*rsa.PublicKey" .Insecure.CR.PublicKey }}, "keyEncipherment"{{ end }}],
  "extKeyUsage": ["serverAuth"]
}
