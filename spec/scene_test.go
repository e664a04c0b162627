package spec

import "time"

// goodEstate is sound and uses everything once. Tests break it in one place.
func goodEstate() *Estate {
	pin := &Secret{Origin: origin("secret", "pin"), Prompt: true}
	store := &KeyStore{Origin: origin("key_store", "root"), Kind: "file", Path: "keys", Password: pin}
	root := &Authority{
		Origin: origin("authority", "root"), Subject: Name{{Type: "common_name", Value: "Root"}},
		Key: &Key{Origin: origin("authority", "root"), Store: store, Algorithm: ECDSAP384}, Validity: Duration{Years: 20},
		CAIssuersURLs: []string{"http://pki.example/root.cer"},
		CRL:           &CRL{Origin: origin("authority", "root"), URLs: []string{"http://pki.example/root.crl"}, ValidFor: Duration{Days: 400}, IssueEvery: Duration{Days: 365}},
	}
	policy := &Authority{
		Origin: origin("authority", "policy"), Issuer: root, Subject: Name{{Type: "common_name", Value: "Policy"}},
		Key: &Key{Origin: origin("authority", "policy"), Store: store, Algorithm: RSA4096}, Validity: Duration{Years: 10},
		CRL: &CRL{Origin: origin("authority", "policy"), URLs: []string{"http://pki.example/policy.crl"}, ValidFor: Duration{Days: 100}},
	}
	issuing := &Authority{
		Origin: origin("authority", "issuing"), Issuer: policy, Subject: Name{{Type: "common_name", Value: "Issuing"}},
		CSR: &CSR{Path: "csr/issuing.csr", DER: []byte{0x30, 0}}, Validity: Duration{Years: 5}, ExtendedKeyUsage: []ExtKeyUsage{"server_auth"},
		NameConstraints: &NameConstraints{
			Origin:       origin("authority", "issuing"),
			PermittedDNS: []string{"acme.internal"}, ExcludedDNS: []string{"bad.acme.internal"}, PermittedIP: []string{"10.0.0.0/8"}, ExcludedIP: []string{"fd00::/8"},
			PermittedEmail: []string{"acme.example"}, ExcludedEmail: []string{"ca@acme.example"}, PermittedURI: []string{".acme.internal"}, ExcludedURI: []string{"x.acme.internal"},
		},
		CRL: &CRL{Origin: origin("authority", "issuing"), URLs: []string{"http://pki.example/issuing.crl"}},
	}
	template := &Template{Origin: origin("template", "server"), Kind: "x509", File: "templates/server.tpl"}
	jwk := &Provisioner{Origin: origin("provisioner", "admin"), Kind: "jwk", Password: pin, Template: template, Claims: &Claims{Origin: origin("provisioner", "admin"), MaxTLS: span(7 * 24 * time.Hour)}}
	acme := &Provisioner{Origin: origin("provisioner", "web"), Kind: "acme", Challenges: []string{"http-01", "dns-01", "tls-alpn-01"}, ForceCN: true}
	return &Estate{
		Name: "acme", Environment: Production, Secrets: []*Secret{pin}, KeyStores: []*KeyStore{store},
		Authorities: []*Authority{root, policy, issuing}, Templates: []*Template{template}, Provisioners: []*Provisioner{jwk, acme},
		OnlineCAs: []*OnlineCA{{
			Origin: origin("online_ca", "us"), Authority: issuing, DNSNames: []string{"ca.acme.internal"}, Listen: ":443", InsecureAddress: "127.0.0.1:80",
			Key: "awskms:key-id=1", Provisioners: []*Provisioner{jwk, acme},
			Database: &Database{Origin: origin("online_ca", "us"), Type: "postgresql", DataSource: "postgresql://step@db/", Name: "step"},
			CRL:      &OnlineCRL{Origin: origin("online_ca", "us"), Enabled: true, CacheDuration: span(24 * time.Hour), RenewPeriod: span(16 * time.Hour)},
			Systemd:  Systemd{User: "step", Binary: "/usr/bin/step-ca"},
		}},
		Lint: Lint{Profile: "private", FailOn: "error", Waivers: []Waiver{{
			Lint: "w_x", Object: Address{Kind: "authority", Name: "root"}, Reason: "It is old.", Citation: "CPS 6.1.5", Until: "2027-01-31",
		}}},
	}
}

func origin(kind, name string) Origin { return Origin{Address: Address{Kind: kind, Name: name}} }

func span(d time.Duration) *Span { return new(Span(d)) }
