package lint

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"testing"
	"time"
)

// rooted makes a case of a root.
func rooted(about string, change func(*stage)) func(testing.TB) scene {
	return func(t testing.TB) scene { return rootScene(t, about, change) }
}

// publicOnly is a key of which only the public half is known.
type publicOnly struct {
	crypto.Signer
	public crypto.PublicKey
}

func (p publicOnly) Public() crypto.PublicKey { return p.public }

// rocaKey is a public key with the fingerprint of the broken generator: its
// primes are powers of 65537 modulo the product of the small primes.
func rocaKey(bits int) crypto.Signer {
	product := big.NewInt(1)
	for p := int64(2); p <= largestROCAPrime; p++ {
		if n := big.NewInt(p); n.ProbablyPrime(0) {
			product.Mul(product, n)
		}
	}
	prime := func(exponent int64) *big.Int {
		// Far enough apart that nobody finds them by their mean.
		n := new(big.Int).Lsh(big.NewInt(0xc0+exponent), uint(bits/2-8))
		n.Sub(n, new(big.Int).Mod(n, product))
		n.Add(n, new(big.Int).Exp(big.NewInt(65537), big.NewInt(exponent), product))
		for !n.ProbablyPrime(10) {
			n.Add(n, product)
		}
		return n
	}
	return publicOnly{public: &rsa.PublicKey{N: new(big.Int).Mul(prime(5), prime(17)), E: 65537}}
}

// otherIssuing is another issuing authority of the same root, with a change.
func otherIssuing(t testing.TB, g *stage, change func(*x509.Certificate)) []byte {
	t.Helper()
	key := testKey(t, "ecdsa-p256", "other")
	template := issuingTemplate(t, key)
	template.Subject, template.SerialNumber = name("ACME Other CA G1"), serial("other")
	if change != nil {
		change(template)
	}
	return signCertificate(t, template, g.parent, key, g.rootKey)
}

// withOther makes a case of an issuing authority that has a sibling.
func withOther(about string, change func(*x509.Certificate)) func(testing.TB) scene {
	return func(t testing.TB) scene {
		var sibling []byte
		made := certificateScene(t, about, func(g *stage) { sibling = otherIssuing(t, g, change) })
		made.as("other", "authority.other", "CERTIFICATE", sibling)
		return made
	}
}

func identityFixtures() []fixture {
	return []fixture{{
		rule: "e_ca_serial_not_unique",
		pass: withOther("Two issuing authorities with serial numbers of their own.", nil),
		fail: withOther("Two issuing authorities with one serial number.", func(c *x509.Certificate) { c.SerialNumber = serial("issuing") }),
	}, {
		rule: "w_ca_serial_high_bit_padding",
		pass: failing("An issuing authority with a serial number of 159 bits.", func(g *stage) {
			g.subject.SerialNumber = new(big.Int).Lsh(big.NewInt(1), 158)
		}),
		fail: func(t testing.TB) scene {
			s := certificateScene(t, "A draft with a serial number of 160 bits, whose first bit takes a 21st octet.", func(g *stage) {
				g.subject.SerialNumber = new(big.Int).Lsh(big.NewInt(1), 158)
				g.draft = true
				g.also = []string{"error e_serial_number_longer_than_20_octets"}
			})
			s.blocks[0].Bytes = longSerial(t, s.blocks[0].Bytes)
			return s
		},
	}, {
		rule: "e_ca_ski_not_rfc_method", pass: clean,
		fail: failing("An issuing authority with a typed key identifier.", func(g *stage) { g.subject.SubjectKeyId = []byte("issuing g1") }),
	}, {
		rule: "w_ca_subject_reused_new_key",
		pass: withOther("Two issuing authorities with names of their own.", nil),
		fail: withOther("Two issuing authorities with one name and two keys.", func(c *x509.Certificate) { c.Subject = name("ACME Issuing CA G1") }),
	}, {
		rule: "e_ca_roca_fingerprint",
		pass: func(t testing.TB) scene {
			return certificateScene(t, "An issuing authority with an honest RSA key.", func(g *stage) {
				g.key = testKey(t, "rsa-2048", "issuing")
				g.subject.SubjectKeyId = keyID(t, g.key)
			})
		},
		fail: func(t testing.TB) scene {
			return certificateScene(t, "An issuing authority whose key came out of a broken smart card.", func(g *stage) {
				g.key = rocaKey(2048)
				g.subject.SubjectKeyId = keyID(t, g.key)
			})
		},
	}}
}

// longSerial makes a serial number one octet longer: 21, with a zero in front.
func longSerial(t testing.TB, der []byte) []byte {
	t.Helper()
	var outer struct {
		TBS, Algorithm asn1.RawValue
		Signature      asn1.BitString
	}
	_, err := asn1.Unmarshal(der, &outer)
	noError(t, err)
	var parts []asn1.RawValue
	for rest := outer.TBS.Bytes; len(rest) > 0; {
		var part asn1.RawValue
		rest, err = asn1.Unmarshal(rest, &part)
		noError(t, err)
		parts = append(parts, part)
	}
	number := append([]byte{0x02, 21, 0x00, 0x80}, parts[1].Bytes[1:]...)
	parts[1] = asn1.RawValue{FullBytes: number}
	tbs, err := asn1.Marshal(parts)
	noError(t, err)
	outer.TBS = asn1.RawValue{FullBytes: tbs}
	out, err := asn1.Marshal(outer)
	noError(t, err)
	return out
}

// replaceKey puts another key into a certificate, and its identifier.
func replaceKey(t testing.TB, der, info, id []byte) []byte {
	t.Helper()
	old := parse(t, der)
	var outer struct {
		TBS, Algorithm asn1.RawValue
		Signature      asn1.BitString
	}
	_, err := asn1.Unmarshal(der, &outer)
	noError(t, err)
	var parts []asn1.RawValue
	for rest := outer.TBS.Bytes; len(rest) > 0; {
		var part asn1.RawValue
		rest, err = asn1.Unmarshal(rest, &part)
		noError(t, err)
		if string(part.FullBytes) == string(old.RawSubjectPublicKeyInfo) {
			part = asn1.RawValue{FullBytes: info}
		}
		parts = append(parts, part)
	}
	tbs, err := asn1.Marshal(parts)
	noError(t, err)
	replaceOnce(t, tbs, string(old.SubjectKeyId), string(id))
	outer.TBS = asn1.RawValue{FullBytes: tbs}
	out, err := asn1.Marshal(outer)
	noError(t, err)
	return out
}

func dateFixtures() []fixture {
	const fiveYears = 1826 * 24 * time.Hour
	return []fixture{{
		rule: "e_ca_validity_inclusive_second",
		pass: failing("An issuing authority of five years, to the second.", func(g *stage) { g.fact("longest", fiveYears) }),
		fail: failing("An issuing authority of five years and one second: the last one counts.", func(g *stage) {
			g.fact("longest", fiveYears)
			g.subject.NotAfter = issuingEnd.Add(time.Second)
		}),
	}, {
		rule: "n_ca_no_well_defined_expiry", pass: cleanRoot,
		fail: rooted("A root without an end, as in the identity of a device.", func(g *stage) {
			g.subject.NotAfter = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
			g.also = []string{"warn w_root_validity_out_of_range"}
		}),
	}, {
		rule: "e_ca_not_before_unlikely",
		pass: failing("A draft that starts an hour before the ceremony.", func(g *stage) {
			g.draft = true
			g.fact("signing", date(issuingFrom.Add(time.Hour)))
		}),
		fail: failing("A draft that starts a year before the ceremony.", func(g *stage) {
			g.draft = true
			g.fact("signing", date(issuingFrom.AddDate(1, 0, 0)))
		}),
	}, {
		rule: "w_root_validity_out_of_range", pass: cleanRoot,
		fail: rooted("A root of fifty years.", func(g *stage) { g.subject.NotAfter = rootFrom.AddDate(50, 0, -1) }),
	}}
}

func rootShapeFixtures() []fixture {
	return []fixture{{
		rule: "w_root_has_san_or_eku", pass: cleanRoot,
		fail: rooted("A root that is a web server's certificate as well.", func(g *stage) { g.subject.DNSNames = []string{"ca.acme.internal"} }),
	}, {
		rule: "w_root_ku_extra_bits", pass: rooted("A root that also signs OCSP responses.", func(g *stage) { g.subject.KeyUsage |= x509.KeyUsageDigitalSignature }),
		fail: rooted("A root with the key usage of a server.", func(g *stage) {
			g.subject.KeyUsage |= x509.KeyUsageKeyAgreement
		}),
	}, {
		rule: "e_root_pathlen_shorter_than_tree",
		pass: rooted("A root with room for the one tier that the estate has.", func(g *stage) { g.fact("tiers below", 1) }),
		fail: rooted("A root with room for one tier, in an estate with two.", func(g *stage) { g.fact("tiers below", 2) }),
	}, {
		rule: "n_root_pathlen_absent", pass: cleanRoot,
		fail: rooted("A root without a path length.", func(g *stage) { g.subject.MaxPathLen = -1 }),
	}, {
		rule: "e_root_fingerprint_not_in_transcript",
		pass: transcriptScene("The root that was witnessed.", 0),
		fail: transcriptScene("A root of the same name that nobody witnessed.", 1),
	}}
}

// transcriptScene is a root and a transcript with the fingerprint of it, or of
// something else.
func transcriptScene(about string, change byte) func(testing.TB) scene {
	return func(t testing.TB) scene {
		s := rootScene(t, about, nil)
		sum := sha256.Sum256(s.blocks[0].Bytes)
		sum[0] += change
		s.fact("transcript", hexOf(sum[:]))
		return s
	}
}

func purposeFixtures() []fixture {
	servers, clients := x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth
	policyOf := func(oid string) x509.OID { id, _ := x509.ParseOID(oid); return id }
	under := func(t testing.TB, about string, purposes []x509.ExtKeyUsage, policies []x509.OID, change func(*x509.Certificate)) scene {
		return belowPolicyAuthority(t, about, func(c *x509.Certificate) { c.ExtKeyUsage, c.Policies = purposes, policies }, change)
	}
	return []fixture{{
		rule: "e_ica_eku_ocsp_signing_delegation", pass: clean,
		fail: failing("An issuing authority that may answer for its siblings.", func(g *stage) {
			g.subject.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning}
			g.also = []string{"error e_ocsp_cert_cdp_forbidden", "error e_ocsp_cert_invalid_ku", "error e_ocsp_id_pkix_ocsp_nocheck_ext_not_included_server_auth"}
		}),
	}, {
		rule: "e_ica_eku_not_nested",
		pass: func(t testing.TB) scene {
			return under(t, "An authority for servers below one for servers and clients.", []x509.ExtKeyUsage{servers, clients}, nil,
				func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{servers} })
		},
		fail: func(t testing.TB) scene {
			return under(t, "An authority for clients below one for servers.", []x509.ExtKeyUsage{servers}, nil,
				func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{clients} })
		},
	}, {
		rule: "e_ica_policy_not_in_parent",
		pass: func(t testing.TB) scene {
			return under(t, "An authority with one of its issuer's policies.", nil, []x509.OID{policyOf("1.3.6.1.4.1.99999.1"), policyOf("1.3.6.1.4.1.99999.2")},
				func(c *x509.Certificate) { c.Policies = []x509.OID{policyOf("1.3.6.1.4.1.99999.2")} })
		},
		fail: func(t testing.TB) scene {
			return under(t, "An authority with a policy that its issuer does not have.", nil, []x509.OID{policyOf("1.3.6.1.4.1.99999.1")},
				func(c *x509.Certificate) { c.Policies = []x509.OID{policyOf("1.3.6.1.4.1.99999.2")} })
		},
	}, {
		rule: "e_ica_csr_key_mismatch",
		pass: func(t testing.TB) scene {
			s := certificateScene(t, "An issuing authority with the key of its request.", nil)
			s.as("request", "csr/issuing.csr", "CERTIFICATE REQUEST", requestScene(t, "", testKey(t, "ecdsa-p256", "issuing"), 0, nil).blocks[0].Bytes)
			return s
		},
		fail: func(t testing.TB) scene {
			s := certificateScene(t, "An issuing authority with another key than its request.", nil)
			s.as("request", "csr/issuing.csr", "CERTIFICATE REQUEST", requestScene(t, "", testKey(t, "ecdsa-p256", "other"), 0, nil).blocks[0].Bytes)
			return s
		},
	}, {
		rule: "w_ca_unknown_critical_extension",
		pass: failing("An issuing authority with a private extension.", func(g *stage) { g.subject.ExtraExtensions = []pkix.Extension{privateExtension(false)} }),
		fail: failing("An issuing authority with a private extension that is critical.", func(g *stage) {
			g.subject.ExtraExtensions = []pkix.Extension{privateExtension(true)}
		}),
	}}
}

func privateExtension(critical bool) pkix.Extension {
	return pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 7}, Critical: critical, Value: []byte{0x05, 0x00}}
}

// belowPolicyAuthority is an issuing authority below a policy authority, with
// a change of either. The issuer that is handed in is the policy authority.
func belowPolicyAuthority(t testing.TB, about string, changePolicy, change func(*x509.Certificate)) scene {
	t.Helper()
	s := scene{about: about, kind: ObjectCertificate, role: RoleIssuing}
	rootKey, policyKey, key := testKey(t, "ecdsa-p384", "root"), testKey(t, "ecdsa-p384", "policy"), testKey(t, "ecdsa-p256", "issuing")
	root := rootTemplate(t, rootKey)
	root.MaxPathLen = 2
	rootDER := signCertificate(t, root, root, rootKey, rootKey)
	policy := issuingTemplate(t, policyKey)
	policy.Subject, policy.SerialNumber, policy.MaxPathLen, policy.MaxPathLenZero = name("ACME Policy CA G1"), serial("policy"), 1, false
	if changePolicy != nil {
		changePolicy(policy)
	}
	policyDER := signCertificate(t, policy, parse(t, rootDER), policyKey, rootKey)
	issuing := issuingTemplate(t, key)
	issuing.CRLDistributionPoints = []string{"http://pki.acme.example/policy.crl"}
	if change != nil {
		change(issuing)
	}
	s.add("CERTIFICATE", signCertificate(t, issuing, parse(t, policyDER), key, policyKey))
	s.add("CERTIFICATE", policyDER)
	return s
}
