{
  "subject": {{ toJson .Subject }},
  "sans": {{ toJson .SANs }},
  "basicConstraints": {"isCA": {{ if eq .Insecure.User.kind "authority" }}true{{ else }}{{ toJson (eq .Token.sub "host.example.internal") }}{{ end }}},
  "keyUsage": ["digitalSignature"],
  "extKeyUsage": ["serverAuth"]
}
