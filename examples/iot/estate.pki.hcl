# Devices that live for years and sleep for months: certificates of a year,
# renewal after expiry for those that slept through it, OpenVPN from the same
# authority, SSH for technicians. A device proves itself once, with a webhook
# that knows its challenge (SCEP) or with a key that its chip attests (ACME).

estate "acme-iot" {
  environment = "lab"
  subject { organization = ["ACME Devices"] }
}

# In production a secret comes from a prompt or from custodians, never a file.
secret "root" { file = "secrets/root.txt" }
secret "online" { file = "secrets/online.txt" }
secret "factory" { file = "secrets/factory.txt" }
secret "ssh" { file = "secrets/ssh.txt" }

key_store "file" "root" {
  path     = "keys/root"
  password = secret.root
}

key_store "file" "online" {
  path     = "keys/online"
  password = secret.online
}

authority "root" {
  subject { common_name = "ACME Devices Root CA" }

  key {
    store     = key_store.root
    algorithm = "ecdsa-p384"
  }

  validity        = "30y"
  path_length     = 1
  ca_issuers_urls = ["http://pki.devices.acme.example/root.cer"]

  crl {
    urls        = ["http://pki.devices.acme.example/root.crl"]
    valid_for   = "360d"
    issue_every = "330d"
  }
}

authority "devices" {
  issuer = authority.root
  subject { common_name = "ACME Devices Issuing CA" }

  key {
    store     = key_store.online
    algorithm = "rsa-3072"
  }

  validity           = "10y"
  path_length        = 0
  extended_key_usage = ["server_auth", "client_auth"]
  ca_issuers_urls    = ["http://pki.devices.acme.example/devices.cer"]

  crl {
    urls        = ["http://pki.devices.acme.example/devices.crl"]
    valid_for   = "7d"
    issue_every = "1d"
  }
}

key_store "file" "ssh" {
  path     = "keys/ssh"
  password = secret.ssh
}

ssh_authority "technicians" {
  type = "user"

  key {
    store     = key_store.ssh
    algorithm = "ed25519"
  }
}

template "vpn" {
  kind   = "x509"
  inline = <<-EOT
    {
      "subject": {"organizationalUnit": "VPN", "commonName": {{ toJson .Subject.CommonName }}},
      "sans": {{ toJson .SANs }},
      "crlDistributionPoints": {{ toJson .crl_urls }},
      "issuingCertificateURL": {{ toJson .ca_issuers_urls }},
      "keyUsage": ["digitalSignature"],
      "extKeyUsage": ["clientAuth"]
    }
  EOT
}

# SCEP clients encrypt to the CA, so its key is RSA.
provisioner "scep" "enrolment" {
  webhook "challenge" {
    url  = "https://factory.acme.internal/challenge"
    kind = "scepchallenge"
  }

  claims {
    default_tls_duration       = "365d"
    max_tls_duration           = "365d"
    allow_renewal_after_expiry = true # bounded by the webhook and by revocation
  }
}

provisioner "acme" "attested" {
  challenges          = ["device-attest-01"]
  attestation_formats = ["step"]

  claims {
    default_tls_duration = "90d"
    max_tls_duration     = "90d"
  }
}

# OpenVPN's server and clients; openvpn --crl-verify reads the same list.
provisioner "jwk" "vpn" {
  password = secret.factory
  template = template.vpn

  claims {
    default_tls_duration = "30d"
    max_tls_duration     = "90d"
    enable_ssh_ca        = true
  }
}

online_ca "devices" {
  authority        = authority.devices
  dns_names        = ["ca.devices.acme.internal"]
  address          = ":9443"
  insecure_address = ":9080"
  provisioners     = [provisioner.enrolment, provisioner.attested, provisioner.vpn]

  ssh {
    user = ssh_authority.technicians
  }

  policy {
    x509 {
      allow { dns = ["*.devices.acme.internal"] }
    }
    ssh {
      user {
        allow { principal = ["technician"] }
      }
    }
  }

  database {
    type        = "badgerv2"
    data_source = "db"
    file_io     = true # a small machine
  }

  crl {
    enabled            = true
    generate_on_revoke = true
  }
}
