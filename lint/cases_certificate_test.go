package lint

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"net"
	"net/url"
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
	}, {
		rule: "e_ca_mldsa_params_or_prehash",
		pass: mldsaScene("An issuing authority with a key of ML-DSA-65.", mldsa44+1, false),
		fail: mldsaScene("An issuing authority with a key of ML-DSA-65 whose algorithm has NULL parameters.", mldsa44+1, true),
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

// mldsaScene is a draft for a key of ML-DSA, or of what has the given last arc.
func mldsaScene(about string, arc int, parameters bool) func(testing.TB) scene {
	return func(t testing.TB) scene {
		s := certificateScene(t, about, func(g *stage) { g.draft = true })
		key := struct {
			Algorithm struct {
				OID        asn1.ObjectIdentifier
				Parameters asn1.RawValue `asn1:"optional"`
			}
			Key asn1.BitString
		}{Key: asn1.BitString{Bytes: make([]byte, 1952), BitLength: 1952 * 8}}
		key.Algorithm.OID = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, arc}
		if parameters {
			key.Algorithm.Parameters = asn1.NullRawValue
		}
		info, err := asn1.Marshal(key)
		noError(t, err)
		sum := sha256.Sum256(key.Key.Bytes)
		s.blocks[0].Bytes = replaceKey(t, s.blocks[0].Bytes, info, sum[:20])
		return s
	}
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

func placeFixtures() []fixture {
	const place = "http://pki.acme.example/root.cer"
	published := func(about, at string, root bool) func(testing.TB) scene {
		return func(t testing.TB) scene {
			s := certificateScene(t, about, func(g *stage) { g.subject.IssuingCertificateURL = []string{at} })
			der := s.blocks[1].Bytes
			if !root {
				der = s.blocks[0].Bytes
			}
			s.as("published", at, "CERTIFICATE", der)
			return s
		}
	}
	return []fixture{{
		rule: "e_ica_cdp_host_unroutable", pass: clean,
		fail: failing("An issuing authority whose list lies on a computer in the laboratory.", func(g *stage) {
			g.subject.CRLDistributionPoints = []string{"http://lab-3/root.crl", "http://127.0.0.1/root.crl", "http://localhost:8080/root.crl"}
		}),
	}, {
		rule: "e_ica_cdp_points_at_own_crl",
		pass: failing("An issuing authority with lists of its own.", func(g *stage) { g.fact("own list", issuingCRLURL) }),
		fail: failing("An issuing authority that is looked up in its own list.", func(g *stage) {
			g.fact("own list", issuingCRLURL)
			g.subject.CRLDistributionPoints = []string{issuingCRLURL}
		}),
	}, {
		rule: "e_ica_aia_wrong_issuer",
		pass: published("An issuing authority that says where its root is.", place, true),
		fail: published("An issuing authority that names itself as its issuer.", place, false),
	}}
}

func constraintFixtures() []fixture {
	permit := func(names ...string) func(*x509.Certificate) {
		_, all, _ := net.ParseCIDR("::/0")
		_, old, _ := net.ParseCIDR("0.0.0.0/0")
		return func(c *x509.Certificate) {
			c.PermittedDNSDomainsCritical, c.PermittedDNSDomains = true, names
			c.ExcludedIPRanges = []*net.IPNet{all, old}
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		}
	}
	return []fixture{{
		rule: "e_ica_nc_child_violates_parent",
		pass: func(t testing.TB) scene {
			return belowPolicyAuthority(t, "An authority for a part of its issuer's domain.", permit("acme.internal"), permit("eu.acme.internal"))
		},
		fail: func(t testing.TB) scene {
			return belowPolicyAuthority(t, "An authority for a domain that is not its issuer's.", permit("acme.internal"), permit("acme.example"))
		},
	}, {
		rule: "w_ica_nc_dns_leading_dot",
		pass: failing("An authority for one domain and what is below it.", func(g *stage) { permit("acme.internal")(g.subject) }),
		fail: failing("An authority for what is below a domain.", func(g *stage) { permit(".acme.internal")(g.subject) }),
	}, {
		rule: "e_ica_nc_noop",
		pass: failing("An authority for one domain, but for a part of it.", func(g *stage) {
			permit("acme.internal")(g.subject)
			g.subject.ExcludedDNSDomains = []string{"secret.acme.internal"}
		}),
		fail: failing("An authority whose one domain is excluded at the same time.", func(g *stage) {
			permit("acme.internal")(g.subject)
			g.subject.ExcludedDNSDomains = []string{"internal"}
		}),
	}, {
		rule: "w_ica_nc_directoryname_go",
		pass: failing("An authority with critical constraints on DNS names.", func(g *stage) { permit("acme.internal")(g.subject) }),
		fail: failing("An authority with critical constraints on directory names.", func(g *stage) {
			g.subject.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 30}, Critical: true, Value: directoryConstraint()}}
		}),
	}}
}

// directoryConstraint permits the organization ACME.
func directoryConstraint() []byte {
	rdns, err := asn1.Marshal(pkix.Name{Organization: []string{"ACME"}}.ToRDNSequence())
	if err != nil {
		panic(err)
	}
	wrap := func(class, tag int, content []byte) []byte {
		der, err := asn1.Marshal(asn1.RawValue{Class: class, Tag: tag, IsCompound: true, Bytes: content})
		if err != nil {
			panic(err)
		}
		return der
	}
	const sequence, directoryName, permitted = 16, 4, 0
	subtree := wrap(asn1.ClassUniversal, sequence, wrap(asn1.ClassContextSpecific, directoryName, rdns))
	return wrap(asn1.ClassUniversal, sequence, wrap(asn1.ClassContextSpecific, permitted, subtree))
}

// crossScene is a new root as an old one certifies it, beside the new root's
// own certificate.
func crossScene(about string, changeTwin, change func(*x509.Certificate), more func(*scene)) func(testing.TB) scene {
	return func(t testing.TB) scene {
		newKey := testKey(t, "ecdsa-p384", "root 2")
		twin := rootTemplate(t, newKey)
		twin.Subject, twin.SerialNumber = name("ACME Root CA G2"), serial("root 2")
		if changeTwin != nil {
			changeTwin(twin)
		}
		twinDER := signCertificate(t, twin, twin, newKey, newKey)
		s := subordinateScene(t, about, func(root *x509.Certificate) { root.MaxPathLen = 2 }, func(g *stage) {
			g.role, g.key = RolePolicy, newKey
			g.subject.Subject, g.subject.SubjectKeyId, g.subject.MaxPathLen, g.subject.MaxPathLenZero = twin.Subject, keyID(t, newKey), 1, false
			if change != nil {
				change(g.subject)
			}
		})
		s.as("twin", "authority.root_g2", "CERTIFICATE", twinDER)
		if more != nil {
			more(&s)
		}
		return s
	}
}

func crossFixtures() []fixture {
	good := crossScene("A new root as the old one certifies it.", nil, nil, nil)
	return []fixture{{
		rule: "e_xsign_key_or_subject_differs", pass: good,
		fail: crossScene("A cross-certificate that spells its subject in its own way.", nil, func(c *x509.Certificate) { c.Subject.CommonName = "ACME ROOT CA G2" }, nil),
	}, {
		rule: "e_xsign_ski_differs", pass: good,
		fail: crossScene("A cross-certificate that derives the key identifier in its own way.", nil, func(c *x509.Certificate) { c.SubjectKeyId = c.SubjectKeyId[:16] }, nil),
	}, {
		rule: "e_xsign_widens_constraints", pass: good,
		fail: crossScene("A cross-certificate that allows a tier more than its twin.", func(c *x509.Certificate) { c.MaxPathLen, c.MaxPathLenZero = 0, true }, nil, nil),
	}, {
		rule: "w_xsign_outlives_either_root", pass: good,
		fail: crossScene("A cross-certificate that ends before the last client has changed over.", nil, nil, func(s *scene) {
			s.fact("needed until", date(issuingEnd.Add(time.Hour)))
		}),
	}, {
		rule: "e_xsign_self_loop",
		pass: loopScene("Two roots of which the old one certifies the new one.", false),
		fail: loopScene("Two roots that certify each other without a path length.", true),
	}, {
		rule: "e_rekey_missing_link_certs",
		pass: rekeyScene("A root with a new key, and both link certificates.", true),
		fail: rekeyScene("A root with a new key of which the old one knows nothing.", false),
	}}
}

// loopScene is a new root as the old one certifies it, without a path length,
// and where back is set, the old one as the new one certifies it.
func loopScene(about string, back bool) func(testing.TB) scene {
	return func(t testing.TB) scene {
		newKey := testKey(t, "ecdsa-p384", "root 2")
		var other []byte
		s := subordinateScene(t, about, func(root *x509.Certificate) { root.MaxPathLen = -1 }, func(g *stage) {
			g.role, g.key = RolePolicy, newKey
			g.subject.Subject, g.subject.SubjectKeyId, g.subject.MaxPathLen, g.subject.MaxPathLenZero = name("ACME Root CA G2"), keyID(t, newKey), -1, false
			g.also = []string{"error e_ica_pathlen_missing_or_nonzero"}
			twin := rootTemplate(t, newKey)
			twin.Subject = name("ACME Root CA G2")
			parent := parse(t, signCertificate(t, twin, twin, newKey, newKey))
			template := issuingTemplate(t, g.rootKey)
			template.Subject, template.SerialNumber, template.MaxPathLen, template.MaxPathLenZero = name("ACME Root CA G1"), serial("back"), -1, false
			if !back {
				template.MaxPathLen = 1
			}
			other = signCertificate(t, template, parent, g.rootKey, newKey)
		})
		s.as("other", "cross_certificate.g1_by_g2", "CERTIFICATE", other)
		return s
	}
}

// rekeyScene is a root with a new key beside the old one, with or without the
// certificates that join them.
func rekeyScene(about string, linked bool) func(testing.TB) scene {
	return func(t testing.TB) scene {
		oldKey, newKey := testKey(t, "ecdsa-p384", "old root"), testKey(t, "ecdsa-p384", "root")
		template := rootTemplate(t, oldKey)
		template.SerialNumber = serial("old root")
		old := signCertificate(t, template, template, oldKey, oldKey)
		s := rootScene(t, about, func(g *stage) { g.also = []string{"warn w_ca_subject_reused_new_key"} })
		s.as("other", "authority.root, generation 1", "CERTIFICATE", old)
		if linked {
			link := func(key, signer crypto.Signer, by []byte, n string) []byte {
				c := rootTemplate(t, key)
				c.SerialNumber, c.AuthorityKeyId = serial(n), keyID(t, signer)
				return signCertificate(t, c, parse(t, by), key, signer)
			}
			s.as("other", "new with old", "CERTIFICATE", link(newKey, oldKey, old, "new with old"))
			s.as("other", "old with new", "CERTIFICATE", link(oldKey, newKey, s.blocks[0].Bytes, "old with new"))
		}
		return s
	}
}

// responderScene is a responder's certificate by a root, with a change.
func responderScene(about string, change func(*stage)) func(testing.TB) scene {
	return func(t testing.TB) scene {
		return certificateScene(t, about, func(g *stage) {
			g.role = RoleLeaf
			g.subject = &x509.Certificate{
				SerialNumber: serial("responder"), Subject: name("ACME OCSP 1"),
				NotBefore: issuingFrom, NotAfter: issuingFrom.AddDate(0, 0, 90).Add(-time.Second),
				KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning},
				SubjectKeyId:    keyID(t, g.key),
				ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}, Value: []byte{0x05, 0x00}}},
			}
			if change != nil {
				change(g)
			}
		})
	}
}

func responderFixtures() []fixture {
	good := responderScene("A responder of a root.", nil)
	answering := func(about string, forRoot bool) func(testing.TB) scene {
		return func(t testing.TB) scene {
			s := responderScene(about, nil)(t)
			der := s.blocks[1].Bytes
			if !forRoot {
				der = certificateScene(t, "", nil).blocks[0].Bytes
			}
			s.as("answers for", "authority", "CERTIFICATE", der)
			return s
		}
	}
	return []fixture{{
		rule: "e_ocspsig_not_direct_child",
		pass: answering("A responder of a root, by the root.", true),
		fail: answering("A responder of an issuing authority, by the root.", false),
	}, {
		rule: "w_ocspsig_no_nocheck", pass: good,
		fail: responderScene("A responder whose own status nobody can look up.", func(g *stage) {
			g.subject.ExtraExtensions = nil
			g.also = []string{"error e_ocsp_id_pkix_ocsp_nocheck_ext_not_included_server_auth"}
		}),
	}, {
		rule: "e_ocspsig_nocheck_long_lived", pass: good,
		fail: responderScene("A responder of two years that nobody can revoke.", func(g *stage) { g.subject.NotAfter = issuingFrom.AddDate(2, 0, 0) }),
	}, {
		rule: "e_ocspsig_ca_true_or_extra_eku", pass: good,
		fail: responderScene("A responder that is a server as well.", func(g *stage) {
			g.subject.ExtKeyUsage = append(g.subject.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
			g.subject.DNSNames, g.subject.Subject = []string{"ocsp.acme.internal"}, pkix.Name{CommonName: "ocsp.acme.internal"}
		}),
	}}
}

func revocationScopeFixtures() []fixture {
	covered := func(about, listURL string) func(testing.TB) scene {
		return func(t testing.TB) scene {
			s := listScene(t, about, nil, func(g *listStage) { g.list.ExtraExtensions = crlTemplate(t, listURL, true).ExtraExtensions })
			s.as("covers", "authority.issuing", "CERTIFICATE", certificateScene(t, "", nil).blocks[0].Bytes)
			return s
		}
	}
	dropped := func(about string, ended time.Time) func(testing.TB) scene {
		return list(about, func(g *listStage) {
			g.list.RevokedCertificateEntries = nil
			g.fact("issued", serial("old").Text(16)+" until "+date(ended))
		})
	}
	before := crlFrom.AddDate(0, 0, -14) // when the list before begins
	return []fixture{{
		rule: "e_crlx_unknown_serial",
		pass: list("A list of what the root signed.", func(g *listStage) { g.fact("issued", serial("old").Text(16)) }),
		fail: list("A list with a serial number that the root never used.", func(g *listStage) { g.fact("issued", serial("issuing").Text(16)) }),
	}, {
		rule: "w_crlx_expired_entries_kept_or_dropped",
		pass: dropped("A list without a certificate that had ended before the list before.", before),
		fail: dropped("A list without a certificate that ended since the list before.", before.Add(time.Hour)),
	}, {
		rule: "w_crlx_this_update_future", pass: cleanList,
		fail: list("A list that begins tomorrow.", func(g *listStage) {
			g.list.ThisUpdate = testNow.AddDate(0, 0, 1)
			g.list.NextUpdate = g.list.ThisUpdate.AddDate(0, 0, 400)
		}),
	}, {
		rule: "e_crlx_idp_scope_wrong", pass: cleanList,
		fail: func(t testing.TB) scene {
			return listScene(t, "A root's list that by its own words has leaves only.", nil, func(g *listStage) {
				g.fact("list of", RoleRoot)
				point := distributionPoint(t, rootCRLURL, true)
				point.Value[len(point.Value)-3] = 0x80 | tagOnlyUsers
				g.list.ExtraExtensions = []pkix.Extension{point}
			})
		},
	}, {
		rule: "e_crlx_idp_cdp_mismatch",
		pass: covered("A list under the URL that its certificates name.", rootCRLURL),
		fail: covered("A list under another URL than its certificates name.", "http://pki.acme.example/root-g1.crl"),
	}}
}

func requestContentFixtures() []fixture {
	request := func(t testing.TB, about string, template *x509.CertificateRequest) scene {
		t.Helper()
		s := scene{about: about, kind: ObjectCSR}
		if template.RawSubject == nil {
			template.Subject = name("ACME Issuing CA G1")
		}
		der, err := x509.CreateCertificateRequest(nil, template, testKey(t, "ecdsa-p256", "issuing"))
		noError(t, err)
		s.add("CERTIFICATE REQUEST", der)
		return s
	}
	plain := func(t testing.TB, about string) scene { return request(t, about, &x509.CertificateRequest{}) }
	known := func(about, key string) func(testing.TB) scene {
		return func(t testing.TB) scene {
			s := plain(t, about)
			s.blocks = append(s.blocks, &pem.Block{Type: "PUBLIC KEY", Headers: map[string]string{"Owner": "authority.other"}, Bytes: spki(t, testKey(t, "ecdsa-p256", key))})
			return s
		}
	}
	approved := func(about string, change byte) func(testing.TB) scene {
		return func(t testing.TB) scene {
			s := plain(t, about)
			sum := sha256.Sum256(s.blocks[0].Bytes)
			sum[0] += change
			s.fact("approved", hexOf(sum[:]))
			return s
		}
	}
	asking := func(about string, dns ...string) func(testing.TB) scene {
		return func(t testing.TB) scene {
			s := request(t, about, &x509.CertificateRequest{DNSNames: dns, URIs: []*url.URL{}})
			s.fact("grant", `{"Authority": true, "PathLength": 0, "Names": ["ca.acme.internal"]}`)
			return s
		}
	}
	encoded := func(about string, tag int) func(testing.TB) scene {
		return func(t testing.TB) scene {
			type attribute struct {
				Type  asn1.ObjectIdentifier
				Value asn1.RawValue
			}
			value := []byte("ACME Issuing CA G1")
			if tag == asn1.TagBMPString {
				value = []byte("\x00A\x00C\x00M\x00E")
			}
			type set []attribute
			rdn, err := asn1.MarshalWithParams(set{{asn1.ObjectIdentifier{2, 5, 4, 3}, asn1.RawValue{Tag: tag, Bytes: value}}}, "set")
			noError(t, err)
			subject, err := asn1.Marshal([]asn1.RawValue{{FullBytes: rdn}})
			noError(t, err)
			return request(t, about, &x509.CertificateRequest{RawSubject: subject})
		}
	}
	return []fixture{{
		rule: "e_csr_key_is_ours",
		pass: known("A request with a key of its own.", "other"),
		fail: known("A request with the key of another authority.", "issuing"),
	}, {
		rule: "w_csr_asks_more_than_profile",
		pass: asking("A request for the name that it gets.", "ca.acme.internal"),
		fail: asking("A request for a name that it does not get.", "www.acme.example"),
	}, {
		rule: "e_csr_hash_not_in_plan",
		pass: approved("The request that was approved.", 0),
		fail: approved("Another request than was approved.", 1),
	}, {
		rule: "e_csr_subject_encoding_lossy",
		pass: encoded("A request whose name is in UTF8String.", asn1.TagUTF8String),
		fail: encoded("A request whose name is in BMPString.", asn1.TagBMPString),
	}}
}

func hexOf(b []byte) string { return hex.EncodeToString(b) }
