package lint

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"net"
	"net/url"
	"testing"
)

// leafCase is a server's certificate with a change.
func leafCase(about string, change func(*x509.Certificate)) func(testing.TB) scene {
	return func(t testing.TB) scene {
		return certificateScene(t, about, func(g *stage) {
			g.role, g.subject = RoleLeaf, leafTemplate(t, g.key)
			if change != nil {
				change(g.subject)
			}
		})
	}
}

// spelled makes a subject of one attribute beside the common name.
func spelled(oid asn1.ObjectIdentifier, value string) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		c.Subject.ExtraNames = []pkix.AttributeTypeAndValue{{Type: oid, Value: value}}
	}
}

var countryOID = asn1.ObjectIdentifier{2, 5, 4, 6}

func nameFixtures() []fixture {
	german := leafCase("A server in Germany.", spelled(countryOID, "DE"))
	return []fixture{{
		rule: "e_ca_country_not_two_letters", pass: german,
		fail: leafCase("A server in DEU, which is the code of three letters.", spelled(countryOID, "DEU")),
	}, {
		rule: "w_ca_country_unassigned", pass: german,
		fail: leafCase("A server in UK, which is not the United Kingdom's code.", spelled(countryOID, "UK")),
	}, {
		rule: "w_ca_subject_placeholder", pass: german,
		fail: leafCase("A server whose owner pressed the enter key.", func(c *x509.Certificate) {
			c.Subject.Organization, c.Subject.Province = []string{"Internet Widgits Pty Ltd"}, []string{"Some-State"}
		}),
	}, {
		rule: "w_ca_name_invisible",
		pass: leafCase("A server of a company with a Persian name, whose letters are joined.", func(c *x509.Certificate) { c.Subject.Organization = []string{"شرکت می‌خواهم"} }),
		fail: leafCase("A server of a company whose name is turned round.", func(c *x509.Certificate) { c.Subject.Organization = []string{"ACME \u202egnibA"} }),
	}, {
		rule: "w_ca_name_mixed_script",
		pass: leafCase("A server of a company with a Russian name and a Latin one.", func(c *x509.Certificate) { c.Subject.Organization = []string{"Пример ACME"} }),
		fail: leafCase("A server of a company whose name has one Cyrillic letter.", func(c *x509.Certificate) { c.Subject.Organization = []string{"P\u0430yments ACME"} }),
	}, {
		rule: "w_ca_common_name_not_in_san",
		pass: leafCase("A server below a wildcard.", func(c *x509.Certificate) { c.DNSNames = []string{"*.acme.internal"} }),
		fail: leafCase("A server whose common name no client looks at.", func(c *x509.Certificate) { c.DNSNames = []string{"www.acme.internal"} }),
	}, {
		rule: "w_ca_wildcard_too_wide",
		pass: leafCase("A wildcard below a domain.", func(c *x509.Certificate) { c.DNSNames = append(c.DNSNames, "*.acme.internal") }),
		fail: leafCase("A wildcard below a single label.", func(c *x509.Certificate) { c.DNSNames = append(c.DNSNames, "*.internal") }),
	}, {
		rule: "w_ca_address_of_no_host",
		pass: leafCase("A server with an address.", func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.IPv4(10, 1, 2, 3)} }),
		fail: leafCase("A server with the address on which it listens.", func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.IPv4zero} }),
	}}
}

func urlFixtures() []fixture {
	return []fixture{{
		rule: "e_ca_url_malformed", pass: clean,
		fail: failing("An issuing authority with four slips in its URLs.", func(g *stage) {
			g.subject.CRLDistributionPoints = []string{rootCRLURL, "http:///root.crl", "http://pki.acme.example/root list.crl", "http://pki.acme.example:99999/root.crl", "http://{{ .host }}/root.crl"}
		}),
	}, {
		rule: "w_ca_url_of_other_file",
		pass: failing("An issuing authority that says where its issuer's certificate is.", func(g *stage) {
			g.subject.IssuingCertificateURL = []string{"http://pki.acme.example/root.cer"}
		}),
		fail: failing("An issuing authority whose URLs lead to PEM.", func(g *stage) {
			g.subject.CRLDistributionPoints = []string{"http://pki.acme.example/root.crl.pem"}
			g.subject.IssuingCertificateURL = []string{"http://pki.acme.example/root.pem"}
		}),
	}}
}

// purposeCase gives a leaf purposes and a key usage.
func purposeCase(about string, usage x509.KeyUsage, purposes ...x509.ExtKeyUsage) func(testing.TB) scene {
	return leafCase(about, func(c *x509.Certificate) { c.KeyUsage, c.ExtKeyUsage = usage, purposes })
}

// criticalTimeStamping is the extended key usage of a time stamping authority.
var criticalTimeStamping = pkix.Extension{
	Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true,
	Value: []byte{0x30, 0x0a, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x08},
}

// identity gives a leaf URIs.
func identity(uris ...string) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		for _, text := range uris {
			u, err := url.Parse(text)
			if err != nil {
				panic(err) // the text stands in this file
			}
			c.URIs = append(c.URIs, u)
		}
	}
}

func usageFixtures() []fixture {
	const sign, agree = x509.KeyUsageDigitalSignature, x509.KeyUsageKeyAgreement
	server, client := x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth
	signs := purposeCase("A server and client that may sign.", sign, server, client)
	mail := func(address ...string) func(*x509.Certificate) {
		return func(c *x509.Certificate) {
			c.ExtKeyUsage, c.EmailAddresses = []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}, address
		}
	}
	extension := func(oid asn1.ObjectIdentifier, value ...byte) pkix.Extension {
		return pkix.Extension{Id: oid, Value: value}
	}
	// status_request is extension 5 of TLS.
	staple := extension(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 24}, 0x30, 0x03, 0x02, 0x01, 0x05)
	return []fixture{{
		rule: "e_ca_usage_serves_no_purpose", pass: signs,
		fail: purposeCase("Code signing with a key that may agree on keys only.", agree, x509.ExtKeyUsageCodeSigning),
	}, {
		rule: "w_ca_server_key_cannot_sign", pass: signs,
		fail: purposeCase("A server whose key may agree on keys only.", agree, server),
	}, {
		rule: "w_ca_leaf_any_purpose", pass: signs,
		fail: purposeCase("A leaf for everything.", sign, server, x509.ExtKeyUsageAny),
	}, {
		rule: "e_ca_time_stamping_not_alone",
		pass: leafCase("A time stamping authority as it should be.", func(c *x509.Certificate) {
			c.ExtKeyUsage, c.ExtraExtensions = nil, []pkix.Extension{criticalTimeStamping}
		}),
		fail: purposeCase("A time stamping authority that is a client, too.", sign, x509.ExtKeyUsageTimeStamping, client),
	}, {
		rule: "w_ca_code_signing_on_server", pass: signs,
		fail: purposeCase("A server that signs programs.", sign, server, x509.ExtKeyUsageCodeSigning),
	}, {
		rule: "e_ca_staple_without_responder",
		pass: leafCase("A server that must staple, and can.", func(c *x509.Certificate) {
			c.OCSPServer, c.ExtraExtensions = []string{"http://ocsp.acme.example"}, []pkix.Extension{staple}
		}),
		fail: leafCase("A server that must staple, and cannot.", func(c *x509.Certificate) { c.ExtraExtensions = []pkix.Extension{staple} }),
	}, {
		rule: "w_ca_nocheck_of_no_responder", pass: responderScene("A responder as it should be.", nil),
		fail: leafCase("A server about which nobody should ask.", func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{extension(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}, 0x05, 0x00)}
		}),
	}, {
		rule: "e_ca_spiffe_id_invalid", pass: leafCase("A workload.", identity("spiffe://acme.internal/ns/shop/sa/web")),
		fail: leafCase("A workload with two identities, a bare trust domain and a port.", identity("spiffe://acme.internal", "spiffe://acme.internal:443/web")),
	}, {
		rule: "w_ca_mail_without_address", pass: leafCase("A person's mail.", mail("ada@acme.example")),
		fail: leafCase("A person's mail, without address.", mail()),
	}, {
		rule: "w_ica_is_server",
		pass: failing("An issuing authority for servers.", func(g *stage) { g.subject.ExtKeyUsage = []x509.ExtKeyUsage{server} }),
		fail: failing("An issuing authority that is its own web server.", func(g *stage) {
			g.subject.ExtKeyUsage, g.subject.DNSNames = []x509.ExtKeyUsage{server}, []string{"ca.acme.internal"}
			g.subject.KeyUsage |= sign
		}),
	}}
}

func lifeFixtures() []fixture {
	// besides puts a second leaf of the same key beside the first.
	besides := func(about string, names ...string) func(testing.TB) scene {
		return func(t testing.TB) scene {
			return certificateScene(t, about, func(g *stage) {
				g.role, g.subject = RoleLeaf, leafTemplate(t, g.key)
				other := leafTemplate(t, g.key)
				other.SerialNumber, other.Subject.CommonName, other.DNSNames = serial("other leaf"), names[0], names
				g.as("other", "copy.crt", "CERTIFICATE", signCertificate(t, other, g.parent, g.key, g.signer))
			})
		}
	}
	numbered := func(about string, ofIssuer bool) func(testing.TB) scene {
		return func(t testing.TB) scene {
			return certificateScene(t, about, func(g *stage) {
				number := serial("another root")
				if ofIssuer {
					number = g.parent.SerialNumber
				}
				value, err := asn1.Marshal(struct {
					KeyID  []byte `asn1:"tag:0"`
					Serial any    `asn1:"tag:2"`
				}{g.parent.SubjectKeyId, number})
				noError(t, err)
				g.subject.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 35}, Value: value}}
			})
		}
	}
	return []fixture{{
		rule: "w_ca_server_lives_long",
		pass: leafCase("A server for 825 days.", func(c *x509.Certificate) { c.NotAfter = c.NotBefore.AddDate(0, 0, 825) }),
		fail: leafCase("A server for four years.", func(c *x509.Certificate) { c.NotAfter = c.NotBefore.AddDate(4, 0, 0) }),
	}, {
		rule: "n_ca_leaf_lives_long",
		pass: leafCase("A client for a year.", func(c *x509.Certificate) {
			c.ExtKeyUsage, c.NotAfter = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, c.NotBefore.AddDate(1, 0, 0)
		}),
		fail: leafCase("A client for ten years.", func(c *x509.Certificate) {
			c.ExtKeyUsage, c.NotAfter = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, c.NotBefore.AddDate(10, 0, 0)
		}),
	}, {
		rule: "n_ca_rsa2048_beyond_2030",
		pass: clean,
		fail: func(t testing.TB) scene {
			return certificateScene(t, "An issuing authority with RSA-2048 until 2031.", func(g *stage) {
				g.key = testKey(t, "rsa-2048", "issuing")
				g.subject.SubjectKeyId = keyID(t, g.key)
			})
		},
	}, {
		rule: "w_ca_leaves_share_key", pass: besides("A server that was renewed under another name.", "new.acme.internal", "host.acme.internal"),
		fail: besides("A server whose key was copied to another one.", "db.acme.internal"),
	}, {
		rule: "w_ca_aki_serial_of_other_issuer", pass: numbered("An issuing authority that names its issuer's number.", true),
		fail: numbered("An issuing authority that names the number of another root.", false),
	}}
}

func reachFixtures() []fixture {
	list := func(about string, change func(*listStage)) func(testing.TB) scene {
		return func(t testing.TB) scene { return listScene(t, about, nil, change) }
	}
	good := list("A list as it should be.", nil)
	scoped := func(g *listStage, value ...byte) {
		for i, e := range g.list.ExtraExtensions {
			if e.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 28}) {
				point := e.Value[2:]
				g.list.ExtraExtensions[i].Value = append([]byte{0x30, byte(len(point) + len(value))}, append(append([]byte{}, point...), value...)...)
			}
		}
	}
	return []fixture{{
		rule: "w_crlx_issuer_has_other_key", pass: good,
		fail: list("A list by a root that is not here, while one of that name is.", func(g *listStage) { g.fact("like named", "certs/root-g0.crt") }),
	}, {
		rule: "e_crlx_unknown_critical", pass: good,
		fail: list("A list with a critical extension of somebody's own.", func(g *listStage) {
			g.list.ExtraExtensions = append(g.list.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 7}, Critical: true, Value: []byte{0x05, 0x00}})
		}),
	}, {
		rule: idPartialList, pass: good,
		fail: list("A list about compromised keys only.", func(g *listStage) {
			scoped(g, 0x83, 0x02, 0x06, 0x40) // onlySomeReasons: keyCompromise
		}),
	}, {
		rule: "w_crlx_lives_long", pass: good,
		fail: list("A list for ten years.", func(g *listStage) { g.list.NextUpdate = g.list.ThisUpdate.AddDate(10, 0, 0) }),
	}, {
		rule: "w_crlx_revokes_own_issuer", pass: good,
		fail: list("A list that revokes the root that signed it.", func(g *listStage) {
			g.list.RevokedCertificateEntries = append(g.list.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: g.parent.SerialNumber, RevocationTime: g.list.ThisUpdate})
		}),
	}}
}

// requestOf is a request with a change of what it asks for.
func requestOf(about string, change func(*x509.CertificateRequest)) func(testing.TB) scene {
	return func(t testing.TB) scene {
		template := &x509.CertificateRequest{Subject: name("ACME Issuing CA G1"), SignatureAlgorithm: x509.ECDSAWithSHA256}
		change(template)
		der, err := x509.CreateCertificateRequest(nil, template, testKey(t, "ecdsa-p256", "issuing"))
		noError(t, err)
		s := scene{about: about, kind: ObjectCSR}
		s.add("CERTIFICATE REQUEST", der)
		return s
	}
}

func requestNameFixtures() []fixture {
	host := requestOf("A request of a host.", func(r *x509.CertificateRequest) {
		r.Subject, r.DNSNames = pkix.Name{Country: []string{"DE"}, CommonName: "host.acme.internal"}, []string{"host.acme.internal", "*.host.acme.internal"}
	})
	return []fixture{{
		rule: "e_csr_country_not_two_letters", pass: host,
		fail: requestOf("A request from DEU.", func(r *x509.CertificateRequest) { r.Subject.Country = []string{"DEU"} }),
	}, {
		rule: "w_csr_placeholder", pass: host,
		fail: requestOf("A request of a template that was not filled in.", func(r *x509.CertificateRequest) { r.Subject.Organization = []string{"${ORGANIZATION}"} }),
	}, {
		rule: "w_csr_name_mixed_script", pass: host,
		fail: requestOf("A request for a host that looks like another.", func(r *x509.CertificateRequest) { r.DNSNames = []string{"xn--80ak6aa92e.com"} }),
	}, {
		rule: "w_csr_names_nobody", pass: host,
		fail: requestOf("A request without any name.", func(r *x509.CertificateRequest) { r.Subject = pkix.Name{} }),
	}, {
		rule: "e_csr_name_unusable", pass: host,
		fail: requestOf("A request for a URL, an address and everything, as DNS names.", func(r *x509.CertificateRequest) {
			r.DNSNames = []string{"https://host.acme.internal", "10.1.2.3", "*"}
		}),
	}, {
		rule: "w_csr_challenge_password", pass: host,
		fail: func(t testing.TB) scene { return challengeScene(t) },
	}}
}

// challengeScene is a request with a password. Go does not write the attribute,
// so the request is put together here.
func challengeScene(t testing.TB) scene {
	t.Helper()
	key := testKey(t, "ecdsa-p256", "issuing")
	plain, err := x509.CreateCertificateRequest(nil, &x509.CertificateRequest{Subject: name("ACME Issuing CA G1"), SignatureAlgorithm: x509.ECDSAWithSHA256}, key)
	noError(t, err)
	parsed, err := x509.ParseCertificateRequest(plain)
	noError(t, err)
	marshal := func(v any, tag string) []byte {
		der, err := asn1.MarshalWithParams(v, tag)
		noError(t, err)
		return der
	}
	attribute := marshal(struct {
		ID     asn1.ObjectIdentifier
		Values []string `asn1:"set"`
	}{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 7}, []string{"hunter2"}}, "")
	tbs := marshal(struct {
		Version    int
		Subject    asn1.RawValue
		Key        asn1.RawValue
		Attributes asn1.RawValue
	}{0, asn1.RawValue{FullBytes: parsed.RawSubject}, asn1.RawValue{FullBytes: parsed.RawSubjectPublicKeyInfo},
		asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: attribute}}, "")
	sum := sha256.Sum256(tbs)
	signature, err := key.Sign(nil, sum[:], crypto.SHA256)
	noError(t, err)
	s := scene{about: "A request with the password that openssl req asked for.", kind: ObjectCSR}
	s.add("CERTIFICATE REQUEST", marshal(struct {
		TBS       asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}{asn1.RawValue{FullBytes: tbs}, pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}},
		asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)}}, ""))
	return s
}
