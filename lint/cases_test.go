package lint

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"net"
	"testing"
)

// clean is the pass of a rule that has nothing of its own to show.
func clean(t testing.TB) scene {
	return certificateScene(t, "An issuing authority as it should be.", nil)
}

func cleanRoot(t testing.TB) scene { return rootScene(t, "A root as it should be.", nil) }

// failing makes a case of an issuing authority.
func failing(about string, change func(*stage)) func(testing.TB) scene {
	return func(t testing.TB) scene { return certificateScene(t, about, change) }
}

func readingFixtures() []fixture {
	return []fixture{{
		rule: idUnparsable, pass: cleanRoot,
		fail: func(t testing.TB) scene {
			s := rootScene(t, "A root that lost its last byte.", nil)
			der := s.blocks[0].Bytes
			s.blocks[0].Bytes = der[:len(der)-1]
			return s
		},
	}, {
		rule: idGoRefuses, pass: cleanRoot,
		fail: func(t testing.TB) scene {
			s := rootScene(t, "A root with a negative serial number, which Go has refused since 1.23.", nil)
			// 02 is INTEGER, 10 its length, and the next octet gets a sign.
			der := s.blocks[0].Bytes
			for i := range der {
				if der[i] == 0x02 && der[i+1] == 0x10 {
					der[i+2] |= 0x80
					break
				}
			}
			s.also = []string{"error e_root_not_self_signed", "error e_serial_number_not_positive"}
			return s
		},
	}, {
		rule: idUnlinted, pass: cleanRoot,
		fail: func(t testing.TB) scene {
			return rootScene(t, "A root whose qualified certificate statements are no DER: Go skips them, zlint's parser stops.", func(g *stage) {
				g.subject.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 3}, Value: []byte{0xff}}}
			})
		},
	}}
}

func authorityFixtures() []fixture {
	return []fixture{{
		rule: "e_ca_aki_issuer_ski_mismatch", pass: clean,
		fail: failing("An issuing authority whose key identifier of the issuer comes from an old root.", func(g *stage) {
			g.parent.SubjectKeyId = []byte("an old root's key id")
		}),
	}, {
		rule: "e_ca_issuer_dn_not_byte_equal", pass: clean,
		fail: failing("An issuing authority that writes its root's name in UTF8String; the root wrote PrintableString.", func(g *stage) {
			g.parent.RawSubject = utf8Name("US", "ACME", "ACME Root CA G1")
		}),
	}, {
		rule: "e_ca_signature_not_by_issuer", pass: clean,
		fail: func(t testing.TB) scene {
			return certificateScene(t, "An issuing authority signed by another key than its root's.", func(g *stage) {
				g.signer = testKey(t, "ecdsa-p384", "another root")
				g.parent.PublicKey = g.signer.Public()
			})
		},
	}, {
		rule: "e_ca_not_after_exceeds_issuer",
		pass: failing("An issuing authority that ends with its root.", func(g *stage) { g.subject.NotAfter = rootUntil }),
		fail: failing("An issuing authority that outlives its root by a second.", func(g *stage) {
			g.subject.NotAfter = rootUntil.Add(1e9)
		}),
	}, {
		rule: "e_ca_not_before_precedes_issuer",
		pass: failing("An issuing authority that starts with its root.", func(g *stage) { g.subject.NotBefore = rootFrom }),
		fail: failing("An issuing authority that is a second older than its root.", func(g *stage) {
			g.subject.NotBefore = rootFrom.Add(-1e9)
		}),
	}}
}

// utf8Name is a name in UTF8String, but for the country, which has to be
// PrintableString.
func utf8Name(country, organization, common string) []byte {
	type attribute struct {
		Type  asn1.ObjectIdentifier
		Value any
	}
	type set []attribute
	text := func(s string) asn1.RawValue { return asn1.RawValue{Tag: asn1.TagUTF8String, Bytes: []byte(s)} }
	var rdns []asn1.RawValue
	for _, a := range []attribute{
		{asn1.ObjectIdentifier{2, 5, 4, 6}, country},
		{asn1.ObjectIdentifier{2, 5, 4, 10}, text(organization)},
		{asn1.ObjectIdentifier{2, 5, 4, 3}, text(common)},
	} {
		der, err := asn1.MarshalWithParams(set{a}, "set")
		if err != nil {
			panic(err)
		}
		rdns = append(rdns, asn1.RawValue{FullBytes: der})
	}
	der, err := asn1.Marshal(rdns)
	if err != nil {
		panic(err)
	}
	return der
}

func keyFixtures() []fixture {
	return []fixture{{
		rule: "e_ca_serial_low_entropy",
		pass: failing("An issuing authority with a serial number of exactly 64 bits.", func(g *stage) {
			g.subject.SerialNumber = new(big.Int).Lsh(big.NewInt(1), 63)
		}),
		fail: failing("An issuing authority with a serial number of 63 bits.", func(g *stage) {
			g.subject.SerialNumber = new(big.Int).Lsh(big.NewInt(1), 62)
		}),
	}, {
		rule: "e_ca_key_reused_in_hierarchy",
		pass: func(t testing.TB) scene {
			return certificateScene(t, "An issuing authority, and the key of another one.", func(g *stage) {
				g.others = []KnownKey{{Owner: "authority.other", SPKI: spki(t, testKey(t, "ecdsa-p256", "other"))}}
			})
		},
		fail: func(t testing.TB) scene {
			return certificateScene(t, "Two issuing authorities with one key.", func(g *stage) {
				g.others = []KnownKey{{Owner: "authority.other", SPKI: spki(t, g.key)}}
			})
		},
	}, {
		rule: "e_ca_hash_weaker_than_key",
		pass: failing("An issuing authority signed by P-384 with SHA-512, which is stronger than need be.", func(g *stage) {
			g.subject.SignatureAlgorithm = x509.ECDSAWithSHA512
			g.also = []string{"error e_mp_ecdsa_signature_encoding_correct"}
		}),
		fail: failing("An issuing authority signed by P-384 with SHA-256.", func(g *stage) {
			g.subject.SignatureAlgorithm = x509.ECDSAWithSHA256
			g.also = []string{"error e_mp_ecdsa_signature_encoding_correct"}
		}),
	}, {
		rule: "e_ca_expired",
		pass: failing("An issuing authority in its last second.", func(g *stage) { g.subject.NotAfter = testNow }),
		fail: failing("An issuing authority that ended a second ago.", func(g *stage) { g.subject.NotAfter = testNow.Add(-1e9) }),
	}, {
		rule: "e_ca_contradicts_role", pass: clean,
		fail: func(t testing.TB) scene {
			return rootScene(t, "A root that the estate takes for an issuing authority.", func(g *stage) { g.role = RoleIssuing })
		},
	}}
}

func rootFixtures() []fixture {
	return []fixture{{
		rule: "e_root_not_self_signed", pass: cleanRoot,
		fail: func(t testing.TB) scene {
			return rootScene(t, "A root signed by another key than its own.", func(g *stage) {
				g.signer = testKey(t, "ecdsa-p384", "another root")
			})
		},
	}, {
		rule: "w_root_has_cdp_or_aia", pass: cleanRoot,
		fail: func(t testing.TB) scene {
			return rootScene(t, "A root that says where its own list is.", func(g *stage) {
				g.subject.CRLDistributionPoints = []string{rootCRLURL}
			})
		},
	}}
}

func intermediateFixtures() []fixture {
	_, tenNet, _ := net.ParseCIDR("10.0.0.0/8")
	return []fixture{{
		rule: "e_ica_pathlen_missing_or_nonzero", pass: clean,
		fail: failing("An issuing authority without a path length.", func(g *stage) {
			g.subject.MaxPathLen, g.subject.MaxPathLenZero = -1, false
		}),
	}, {
		rule: "e_ica_pathlen_exceeds_parent", pass: clean,
		fail: failing("A policy authority that promises as many tiers as its root has left.", func(g *stage) {
			g.role, g.subject.MaxPathLen, g.subject.MaxPathLenZero = RolePolicy, 1, false
		}),
	}, {
		rule: "e_ica_cdp_missing_unrevokable",
		pass: failing("An issuing authority with an OCSP responder in place of a list.", func(g *stage) {
			g.subject.CRLDistributionPoints, g.subject.OCSPServer = nil, []string{"http://ocsp.acme.example/"}
		}),
		fail: failing("An issuing authority that cannot be revoked.", func(g *stage) { g.subject.CRLDistributionPoints = nil }),
	}, {
		rule: "w_ica_cdp_ldap_only",
		pass: failing("An issuing authority whose list lies in a directory and on a web server.", func(g *stage) {
			g.subject.CRLDistributionPoints = []string{"ldap://dc.acme.example/CN=root?certificateRevocationList?base", rootCRLURL}
		}),
		fail: failing("An issuing authority whose list lies in a directory alone.", func(g *stage) {
			g.subject.CRLDistributionPoints = []string{"ldap://dc.acme.example/CN=root?certificateRevocationList?base"}
		}),
	}, {
		rule: "e_ica_cdp_is_https", pass: clean,
		fail: failing("An issuing authority whose list is fetched through TLS.", func(g *stage) {
			g.subject.CRLDistributionPoints = []string{"https://pki.acme.example/root.crl"}
			g.also = []string{"warn w_distribution_point_missing_ldap_or_uri"}
		}),
	}, {
		rule: "e_ica_nc_type_hole",
		pass: failing("A fence around DNS names and addresses, for an authority of servers and clients.", func(g *stage) {
			g.subject.PermittedDNSDomainsCritical = true
			g.subject.PermittedDNSDomains, g.subject.PermittedIPRanges = []string{"acme.internal"}, []*net.IPNet{tenNet}
			g.subject.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
		}),
		fail: failing("A fence around DNS names that leaves every address open.", func(g *stage) {
			g.subject.PermittedDNSDomainsCritical = true
			g.subject.PermittedDNSDomains = []string{"acme.internal"}
			g.subject.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
		}),
	}}
}
