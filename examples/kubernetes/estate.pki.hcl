# Two pods on one PostgreSQL in a cluster. kubectl apply -k rendered/cluster takes
# the tree as it is; the Secret with the key and its password is made by hand once,
# and kustomization.yaml says how. ACME serves ingresses (cert-manager), and pods
# prove themselves with their service accounts.

estate "acme-kubernetes" {
  environment = "lab"
  subject { organization = ["ACME"] }
}

# In production a secret comes from a prompt or from custodians, never a file.
secret "root" { file = "secrets/root.txt" }
secret "online" { file = "secrets/online.txt" }

key_store "file" "root" {
  path     = "keys/root"
  password = secret.root
}

key_store "file" "online" {
  path     = "keys/online"
  password = secret.online
}

authority "root" {
  subject { common_name = "ACME Cluster Root CA" }

  key {
    store     = key_store.root
    algorithm = "ecdsa-p384"
  }

  validity        = "20y"
  path_length     = 1
  ca_issuers_urls = ["http://pki.acme.example/root.cer"]

  crl {
    urls        = ["http://pki.acme.example/root.crl"]
    valid_for   = "360d"
    issue_every = "330d"
  }
}

authority "cluster" {
  issuer = authority.root
  subject { common_name = "ACME Cluster Issuing CA" }

  key {
    store     = key_store.online
    algorithm = "ecdsa-p256"
  }

  validity           = "5y"
  path_length        = 0
  extended_key_usage = ["server_auth", "client_auth"]
  ca_issuers_urls    = ["http://pki.acme.example/cluster.cer"]

  crl {
    urls        = ["http://pki.acme.example/cluster.crl"]
    valid_for   = "7d"
    issue_every = "1d"
  }
}

provisioner "acme" "ingress" {
  challenges = ["http-01"]
}

# The name comes from the token, which the cluster signed, and not from the
# request. kubectl get --raw /openid/v1/jwks has the key; as PEM it is pods.pub.
template "pod" {
  kind   = "x509"
  inline = <<-EOT
    {{- $name := printf "%s.%s.svc.cluster.local" (index .Token "kubernetes.io/serviceaccount/service-account.name") (index .Token "kubernetes.io/serviceaccount/namespace") }}
    {
      "subject": {"commonName": {{ toJson $name }}},
      "dnsNames": [{{ toJson $name }}],
      "crlDistributionPoints": {{ toJson .crl_urls }},
      "issuingCertificateURL": {{ toJson .ca_issuers_urls }},
      "keyUsage": ["digitalSignature"],
      "extKeyUsage": ["serverAuth", "clientAuth"]
    }
  EOT
}

provisioner "k8ssa" "pods" {
  public_keys = ["pods.pub"]
  template    = template.pod
}

online_ca "cluster" {
  authority        = authority.cluster
  dns_names        = ["step-ca-cluster.pki.svc", "step-ca-cluster.pki.svc.cluster.local"]
  address          = ":443"
  insecure_address = ":80"
  provisioners     = [provisioner.ingress, provisioner.pods]

  kubernetes {
    namespace = "pki"
    image     = "smallstep/step-ca:0.30.2"
    replicas  = 2
  }

  # The password, if the database wants one, lies in the Secret, too.
  database {
    type        = "postgresql"
    data_source = "postgresql://step@postgres.pki.svc/step_ca?sslmode=verify-full&passfile=secrets/pgpass"
    name        = "step_ca"
  }

  policy {
    x509 {
      allow { dns = ["*.acme.example", "*.default.svc.cluster.local", "*.shop.svc.cluster.local"] }
    }
  }

  crl {
    enabled            = true
    generate_on_revoke = true
  }
}
