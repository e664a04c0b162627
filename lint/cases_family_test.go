package lint

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"testing"
	"time"
)

func familyFixtures() []fixture {
	told := func(about, key, value string) func(testing.TB) scene {
		return failing(about, func(g *stage) { g.fact(key, value) })
	}
	return []fixture{{
		rule: "e_ca_issuer_cannot_sign", pass: clean,
		fail: func(t testing.TB) scene {
			return subordinateScene(t, "An issuing authority by a root that may sign lists only.", func(root *x509.Certificate) { root.KeyUsage = x509.KeyUsageCRLSign }, nil)
		},
	}, {
		rule: "w_ca_issuer_has_other_key", pass: clean,
		fail: told("An issuing authority by a root that is not here, while one of that name is.", "like named", "certs/root-g0.crt"),
	}, {
		rule: "e_ca_rsa_shared_factor", pass: clean,
		fail: told("An issuing authority whose modulus has a prime of another's.", "shared factor", "certs/other.crt"),
	}, {
		rule: "n_ca_serial_sequential", pass: clean,
		fail: told("An issuing authority whose number follows another one.", "next serial", "certs/other.crt"),
	}, {
		rule: "w_ca_not_yet_valid",
		pass: failing("An issuing authority that begins now.", func(g *stage) { g.role, g.subject.NotBefore = RoleUnknown, testNow }),
		fail: failing("An issuing authority that begins tomorrow.", func(g *stage) { g.role, g.subject.NotBefore = RoleUnknown, testNow.AddDate(0, 0, 1) }),
	}, {
		rule: "n_ca_revoked", pass: clean,
		fail: told("An issuing authority that is on its root's list.", "revoked by", "crls/root.crl"),
	}}
}

func entryFixtures() []fixture {
	entry := func(number string, at time.Time, reason int) x509.RevocationListEntry {
		return x509.RevocationListEntry{SerialNumber: serial(number), RevocationTime: at, ReasonCode: reason}
	}
	more := func(about string, e x509.RevocationListEntry, also ...string) func(testing.TB) scene {
		return list(about, func(g *listStage) {
			g.list.RevokedCertificateEntries = append(g.list.RevokedCertificateEntries, e)
			g.also = also
		})
	}
	delta := func(about string, base int64) func(testing.TB) scene {
		return func(t testing.TB) scene {
			complete := listScene(t, "", nil, nil).blocks[0].Bytes // number 7
			s := listScene(t, about, nil, func(g *listStage) {
				value, err := asn1.Marshal(big.NewInt(base))
				noError(t, err)
				g.list.Number = big.NewInt(9)
				g.list.ExtraExtensions = append(g.list.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 27}, Critical: true, Value: value})
			})
			s.as("base", "the complete list", "X509 CRL", complete)
			return s
		}
	}
	at := crlFrom.AddDate(0, 0, -20)
	return []fixture{{
		rule: idEntryMalformed, pass: cleanList,
		fail: more("A complete list that takes an entry back, as only a delta list may.", entry("taken back", at, reasonRemoveFromCRL)),
	}, {
		rule: idEntryDoubled, pass: more("A list of two certificates.", entry("another", at, 1)),
		fail: more("A list with one certificate twice.", entry("old", at, 1)),
	}, {
		rule: idEntryFuture, pass: cleanList,
		fail: more("A list that revokes from tomorrow on.", entry("another", crlFrom.AddDate(0, 0, 1), 1)),
	}, {
		rule: "e_crlx_delta_without_base",
		pass: delta("A delta list on top of number 7, which is there.", 7),
		fail: delta("A delta list on top of number 8, and the complete list at hand is number 7.", 8),
	}}
}
