{
  "subject": {{ toJson .Insecure.CR.Subject }},
  "sans": {{ toJson .SANs }},
  "dnsNames": [{{ range $i, $name := .Insecure.User.names }}{{ if $i }}, {{ end }}{{ toJson $name }}{{ end }}],
  "keyUsage": ["digitalSignature"],
  "extKeyUsage": ["serverAuth"]
}
