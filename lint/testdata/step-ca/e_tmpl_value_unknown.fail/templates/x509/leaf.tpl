{
  "subject": {{ toJson .Subject }},
  "sans": {{ toJson .SANs }},
  "keyUsage": ["signature"],
  "extKeyUsage": ["server"]
}
