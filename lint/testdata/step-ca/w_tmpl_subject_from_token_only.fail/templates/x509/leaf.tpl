{
  "subject": {},
  "extensions": [{"id": "2.5.29.17", "critical": false, "value": "MBCCDmhvc3QuYWNtZS50ZXN0"}],
  "keyUsage": ["digitalSignature"],
  "extKeyUsage": ["serverAuth"]
}
