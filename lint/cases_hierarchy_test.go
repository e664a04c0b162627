package lint

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"net/url"
	"testing"
	"time"
)

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
		s := rootScene(t, about, func(g *stage) {
			if !linked {
				g.also = []string{"warn w_ca_subject_reused_new_key"}
			}
		})
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
