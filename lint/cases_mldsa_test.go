package lint

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"testing"
)

func latticeFixtures() []fixture {
	const arc65, key65 = mldsa44 + 1, 1952
	return []fixture{{
		rule: "e_ca_mldsa_params_or_prehash",
		pass: latticeScene("An issuing authority with a key of ML-DSA-65.", arc65, key65, false, nil),
		fail: latticeScene("An issuing authority with a key of ML-DSA-65 whose algorithm has NULL parameters.", arc65, key65, true, nil),
	}, {
		rule: "e_ca_mldsa_size",
		pass: latticeScene("An issuing authority with a key of ML-DSA-87.", mldsa87, 2592, false, nil),
		fail: latticeScene("An issuing authority with a key of ML-DSA-44 under the name of ML-DSA-65.", arc65, 1312, false, nil),
	}, {
		rule: "e_ca_mldsa_key_usage",
		pass: latticeScene("An issuing authority with a key of ML-DSA-65 that signs.", arc65, key65, false, nil),
		fail: latticeScene("An issuing authority with a key of ML-DSA-65 that is to agree on keys, too.", arc65, key65, false, func(g *stage) {
			g.subject.KeyUsage |= x509.KeyUsageKeyAgreement
		}),
	}, {
		rule: "w_ca_algorithm_client_support",
		pass: failing("An issuing authority of P-256 for browsers.", func(g *stage) { g.fact("client", "browsers") }),
		fail: latticeScene("An issuing authority with a key of ML-DSA-65 for Go 1.26 and for Go 1.27.", arc65, key65, false, func(g *stage) {
			g.fact("client", "go-1.26")
			g.fact("client", "go-1.27")
		}),
	}, {
		rule: "n_ca_mldsa_not_yet_everywhere",
		pass: cleanRoot,
		fail: func(t testing.TB) scene {
			s := rootScene(t, "A root with a key of ML-DSA-65.", func(g *stage) { g.draft = true })
			return withLattice(t, s, arc65, key65, false)
		},
	}, {
		rule: "e_crlx_mldsa_signature",
		pass: latticeList("A root's list signed with ML-DSA-65.", arc65, 3309, false),
		fail: latticeList("A root's list signed with ML-DSA-65, named with NULL parameters.", arc65, 3309, true),
	}}
}

// latticeList is a list with a signature of ML-DSA, or of what has
// the given last arc, of so many octets. It comes without its issuer.
func latticeList(about string, arc, octets int, parameters bool) func(testing.TB) scene {
	return func(t testing.TB) scene {
		s := listScene(t, about, nil, nil)
		var whole struct {
			Signed    asn1.RawValue
			Algorithm asn1.RawValue
			Signature asn1.BitString
		}
		_, err := asn1.Unmarshal(s.blocks[0].Bytes, &whole)
		noError(t, err)
		id := struct {
			OID        asn1.ObjectIdentifier
			Parameters asn1.RawValue `asn1:"optional"`
		}{OID: asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, arc}}
		if parameters {
			id.Parameters = asn1.NullRawValue
		}
		algorithm, err := asn1.Marshal(id)
		noError(t, err)
		var inside []asn1.RawValue
		_, err = asn1.Unmarshal(whole.Signed.FullBytes, &inside)
		noError(t, err)
		inside[1] = asn1.RawValue{FullBytes: algorithm}
		signed, err := asn1.Marshal(inside)
		noError(t, err)
		whole.Signed, whole.Algorithm = asn1.RawValue{FullBytes: signed}, inside[1]
		whole.Signature = asn1.BitString{Bytes: make([]byte, octets), BitLength: 8 * octets}
		s.blocks[0].Bytes, err = asn1.Marshal(whole)
		noError(t, err)
		s.blocks = s.blocks[:1]
		return s
	}
}

// latticeScene is a draft for a key of ML-DSA, or of what has the given last
// arc, of so many octets.
func latticeScene(about string, arc, octets int, parameters bool, change func(*stage)) func(testing.TB) scene {
	return func(t testing.TB) scene {
		s := certificateScene(t, about, func(g *stage) {
			g.draft = true
			if change != nil {
				change(g)
			}
		})
		return withLattice(t, s, arc, octets, parameters)
	}
}

// withLattice puts a key of ML-DSA into the certificate that is judged.
func withLattice(t testing.TB, s scene, arc, octets int, parameters bool) scene {
	t.Helper()
	key := struct {
		Algorithm struct {
			OID        asn1.ObjectIdentifier
			Parameters asn1.RawValue `asn1:"optional"`
		}
		Key asn1.BitString
	}{Key: asn1.BitString{Bytes: make([]byte, octets), BitLength: octets * 8}}
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

// TestClientTable asks for every client and every algorithm, so that a change
// of the table is seen in review.
func TestClientTable(t *testing.T) {
	want := map[string][]string{
		"RSA 4096": nil, "ECDSA P-256": nil, "ECDSA P-384": nil,
		"ECDSA P-521": {"browsers"},
		"Ed25519":     {"browsers", "java-11"},
		"ML-DSA-87":   {"browsers", "go-1.26", "java-11", "java-17", "openssl-3.0", "step-ca"},
	}
	for algorithm, names := range want {
		for _, c := range Clients() {
			without := len(unable(algorithm, []string{c})) > 0
			expected := false
			for _, name := range names {
				expected = expected || name == c
			}
			if without != expected {
				t.Errorf("%s cannot verify %s: %t, want %t", c, algorithm, without, expected)
			}
		}
		if got := unable(algorithm, nil); len(got) != len(names) {
			t.Errorf("%s: %q", algorithm, got)
		}
	}
}
