package lint

import (
	"crypto/x509"
	"math/big"
	"testing"
	"time"
)

// list makes a case of a root's list.
func list(about string, change func(*listStage)) func(testing.TB) scene {
	return func(t testing.TB) scene { return listScene(t, about, nil, change) }
}

func cleanList(t testing.TB) scene { return listScene(t, "A root's list as it should be.", nil, nil) }

func revocationFixtures() []fixture {
	return []fixture{{
		rule: "e_crlx_expired_or_soon",
		pass: list("A list that ends when the next one is signed.", func(g *listStage) { g.nextSigning = g.list.NextUpdate }),
		fail: list("A list that ends a second before the next one is signed.", func(g *listStage) {
			g.nextSigning = g.list.NextUpdate.Add(time.Second)
		}),
	}, {
		rule: "e_crlx_window_not_positive",
		pass: cleanList,
		fail: func(t testing.TB) scene {
			// Go refuses to make such a list, so a good one is edited: its next
			// update becomes its first.
			s := listScene(t, "A draft of a list that ends when it starts.", nil, func(g *listStage) {
				g.list.ThisUpdate = crlFrom.AddDate(1, 0, 0)
				g.list.NextUpdate = crlFrom.AddDate(2, 0, 0)
				g.draft, g.nextSigning = true, time.Time{}
			})
			replaceOnce(t, s.blocks[0].Bytes, "280301000000Z", "270301000000Z")
			return s
		},
	}, {
		rule: "e_crlx_number_not_increasing", pass: cleanList,
		fail: list("A list with the number of the list before.", func(g *listStage) { g.list.Number = big.NewInt(6) }),
	}, {
		rule: "e_crlx_entry_vanished",
		pass: list("A list that lifts a hold of the list before.", func(g *listStage) {
			g.list.RevokedCertificateEntries = nil
			g.previous.RevokedCertificateEntries[0].ReasonCode = reasonCertificateHold
		}),
		fail: list("A list that forgets what the list before revoked.", func(g *listStage) { g.list.RevokedCertificateEntries = nil }),
	}, {
		rule: "e_crlx_hold_on_ca",
		pass: func(t testing.TB) scene {
			return listScene(t, "A list of all certificates that holds one.", nil, func(g *listStage) {
				g.list.RevokedCertificateEntries[0].ReasonCode = reasonCertificateHold
				g.list.ExtraExtensions = crlTemplate(t, rootCRLURL, false).ExtraExtensions
			})
		},
		fail: list("A list of authorities that holds one.", func(g *listStage) {
			g.list.RevokedCertificateEntries[0].ReasonCode = reasonCertificateHold
		}),
	}}
}

// replaceOnce changes text within der, in place.
func replaceOnce(t testing.TB, der []byte, from, to string) {
	t.Helper()
	for i := range der {
		if i+len(from) <= len(der) && string(der[i:i+len(from)]) == from {
			copy(der[i:], to)
			return
		}
	}
	t.Fatalf("the object does not hold %q", from)
}

func revocationIssuerFixtures() []fixture {
	return []fixture{{
		rule: "e_crlx_aki_not_issuer_ski", pass: cleanList,
		fail: list("A list with the key identifier of an old root.", func(g *listStage) {
			g.parent.SubjectKeyId = []byte("an old root's key id")
		}),
	}, {
		rule: "e_crlx_issuer_dn_not_byte_equal", pass: cleanList,
		fail: list("A list that writes its root's name in UTF8String; the root wrote PrintableString.", func(g *listStage) {
			g.parent.RawSubject = utf8Name("US", "ACME", "ACME Root CA G1")
		}),
	}, {
		rule: "e_crlx_next_update_after_issuer_expiry",
		pass: list("A list that ends with its root.", func(g *listStage) {
			g.draft, g.list.ThisUpdate, g.list.NextUpdate = true, rootUntil.AddDate(0, 0, -400), rootUntil
		}),
		fail: list("A list that outlives its root by a second.", func(g *listStage) {
			g.draft, g.list.ThisUpdate, g.list.NextUpdate = true, rootUntil.AddDate(0, 0, -400), rootUntil.Add(time.Second)
		}),
	}, {
		rule: "e_crlx_issuer_lacks_crlsign", pass: cleanList,
		fail: func(t testing.TB) scene {
			return listScene(t, "A list by a root that may not sign lists.", func(root *x509.Certificate) {
				root.KeyUsage = x509.KeyUsageCertSign
			}, nil)
		},
	}, {
		rule: "e_crlx_signature_not_by_issuer", pass: cleanList,
		fail: func(t testing.TB) scene {
			return listScene(t, "A list signed by another key than the root's.", nil, func(g *listStage) {
				g.signer = testKey(t, "ecdsa-p384", "another root")
				g.parent.PublicKey = g.signer.Public()
			})
		},
	}, {
		rule: "e_crlx_hash_weaker_than_key", pass: cleanList,
		fail: list("A list signed by P-384 with SHA-256.", func(g *listStage) {
			g.list.SignatureAlgorithm = x509.ECDSAWithSHA256
			g.also = []string{"error e_crl_ecdsa_signature_encoding_correct"}
		}),
	}}
}

func requestFixtures() []fixture {
	clean := func(t testing.TB) scene {
		return requestScene(t, "A request as it should be.", testKey(t, "ecdsa-p256", "issuing"), x509.ECDSAWithSHA256, nil)
	}
	return []fixture{{
		rule: "e_csr_signature_invalid", pass: clean,
		fail: func(t testing.TB) scene {
			return requestScene(t, "A request whose name was edited after it was signed.", testKey(t, "ecdsa-p256", "issuing"), x509.ECDSAWithSHA256, func(der []byte) {
				replaceOnce(t, der, "Issuing CA G1", "Issuing CA G2")
			})
		},
	}, {
		rule: "w_csr_weak_or_old", pass: clean,
		fail: func(t testing.TB) scene {
			return requestScene(t, "A request of an RSA key of 2048 bits.", testKey(t, "rsa-2048", "issuing"), x509.SHA256WithRSA, nil)
		},
	}}
}
