{
  "type": {{ toJson .Type }},
  "keyId": {{ toJson .KeyID }},
  "principals": ["root"],
  "extensions": {{ toJson .Extensions }},
  "criticalOptions": {{ toJson .CriticalOptions }}
}
