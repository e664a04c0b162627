provisioner "jwk" "a" {
  password = secret.lab

  webhook "one" {
    url        = "http://hooks.internal"
    kind       = "authorising"
    cert_type  = "tls"
    secret     = "hunter2"
    basic_auth = "hunter2"
  }

  webhook "two" {
    url  = "https://hooks.internal"
    kind = "scepchallenge"
  }

  webhook "two" {
    url  = "https://u:p@hooks.internal"
    kind = "enriching"
  }

  webhook "three four" {
    url          = "https://hooks.internal"
    kind         = "enriching"
    bearer_token = "hunter2"
  }
}
