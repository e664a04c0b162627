package lint

import (
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
)

// family is a root, an issuing authority and its list, with a change of each.
type family struct {
	certs, lists []KnownCertificate
}

func (f *family) add(owner string, der []byte) {
	f.certs = append(f.certs, KnownCertificate{Owner: owner, DER: der})
}

// judge judges one certificate of the family among all of them.
func (f *family) judge(t testing.TB, owner string) []string {
	t.Helper()
	l, h := mustNew(t, "private"), NewHierarchy(f.certs, f.lists)
	var out []string
	for _, c := range f.certs {
		if c.Owner == owner {
			for _, found := range l.Certificate(h.Surround(Certificate{DER: c.DER}), testNow) {
				out = append(out, found.Lint)
			}
		}
	}
	for _, c := range f.lists {
		if c.Owner == owner {
			for _, found := range l.CRL(h.SurroundList(CRL{DER: c.DER}), testNow) {
				out = append(out, found.Lint)
			}
		}
	}
	slices.Sort(out)
	// How long a list counts is a notice, and not what is asked here.
	return slices.DeleteFunc(slices.Compact(out), func(id string) bool { return id == "e_crl_next_update_invalid" })
}

// twoTiers is a family as it should be, with a change of the subordinate.
func twoTiers(t testing.TB, change func(*stage)) *family {
	s := certificateScene(t, "", change)
	f := &family{}
	f.add("root", s.blocks[1].Bytes)
	f.add("issuing", s.blocks[0].Bytes)
	return f
}

// TestHierarchy shows what is seen of a certificate only among others.
func TestHierarchy(t *testing.T) {
	for name, c := range map[string]struct {
		make func() *family
		who  string
		want string
	}{
		"as it should be": {func() *family { return twoTiers(t, nil) }, "issuing", ""},
		"a root":          {func() *family { return twoTiers(t, nil) }, "root", ""},
		"an issuer found by name, whose key did not sign": {func() *family {
			return twoTiers(t, func(g *stage) {
				g.signer = testKey(t, "ecdsa-p384", "another root")
				g.parent.PublicKey = g.signer.Public()
			})
		}, "issuing", "e_ca_signature_not_by_issuer"},
		"an issuer found by trying, whose key identifier is another": {func() *family {
			return twoTiers(t, func(g *stage) { g.parent.SubjectKeyId = []byte("an old root's key id") })
		}, "issuing", "e_ca_aki_issuer_ski_mismatch"},
		"an issuer found by its key, whose name is written otherwise": {func() *family {
			return twoTiers(t, func(g *stage) { g.parent.RawSubject = utf8Name("US", "ACME", "ACME Root CA G1") })
		}, "issuing", "e_ca_issuer_dn_not_byte_equal"},
		"an issuer of that name with another key": {func() *family {
			return twoTiers(t, func(g *stage) {
				g.signer = testKey(t, "ecdsa-p384", "another root")
				g.parent.PublicKey, g.parent.SubjectKeyId = g.signer.Public(), keyID(t, g.signer)
			})
		}, "issuing", "w_ca_issuer_has_other_key"},
		"two certificates of one number": {func() *family {
			f := twoTiers(t, nil)
			f.add("twin", certificateScene(t, "", func(g *stage) {
				g.key = testKey(t, "ecdsa-p256", "other")
				g.subject.SubjectKeyId, g.subject.Subject = keyID(t, g.key), name("ACME Issuing CA G2")
			}).blocks[0].Bytes)
			return f
		}, "twin", "e_ca_serial_not_unique"},
		"a number that was counted": {func() *family {
			f := twoTiers(t, nil)
			f.add("next", certificateScene(t, "", func(g *stage) {
				g.key = testKey(t, "ecdsa-p256", "other")
				g.subject.SubjectKeyId, g.subject.Subject = keyID(t, g.key), name("ACME Issuing CA G2")
				g.subject.SerialNumber = new(big.Int).Add(g.subject.SerialNumber, big.NewInt(1))
			}).blocks[0].Bytes)
			return f
		}, "next", "n_ca_serial_sequential"},
		"one key under two names": {func() *family {
			f := twoTiers(t, nil)
			f.add("twin", certificateScene(t, "", func(g *stage) {
				g.subject.Subject, g.subject.SerialNumber = name("ACME Issuing CA G2"), serial("twin")
			}).blocks[0].Bytes)
			return f
		}, "twin", "e_ca_key_reused_in_hierarchy"},
		"a tier too deep, two above": {func() *family {
			f := &family{}
			s := belowPolicyAuthority(t, "", func(policy *x509.Certificate) { policy.MaxPathLen = -1 }, nil)
			f.add("issuing", s.blocks[0].Bytes)
			f.add("policy", s.blocks[1].Bytes)
			f.add("root", subordinateScene(t, "", func(root *x509.Certificate) { root.MaxPathLen = 1 }, nil).blocks[1].Bytes)
			return f
		}, "issuing", "e_ica_pathlen_exceeds_parent"},
	} {
		if got := strings.Join(c.make().judge(t, c.who), " "); got != c.want {
			t.Errorf("%s: findings are %q, want %q", name, got, c.want)
		}
	}
}

// TestHierarchyOfLists shows the order of lists, and who is on them.
func TestHierarchyOfLists(t *testing.T) {
	s := listScene(t, "", nil, nil)
	f := &family{}
	f.add("root", s.blocks[2].Bytes)
	f.lists = []KnownCertificate{{Owner: "now", DER: s.blocks[0].Bytes}, {Owner: "before", DER: s.blocks[1].Bytes}}
	for _, who := range []string{"now", "before"} {
		if got := f.judge(t, who); len(got) > 0 {
			t.Errorf("%s: findings are %q", who, got)
		}
	}
	gone := listScene(t, "", nil, func(g *listStage) { g.list.RevokedCertificateEntries = nil })
	f.lists[0].DER = gone.blocks[0].Bytes
	if got := strings.Join(f.judge(t, "now"), " "); got != "e_crlx_entry_vanished" {
		t.Errorf("an entry that vanished: findings are %q", got)
	}
	held := listScene(t, "", nil, func(g *listStage) {
		g.list.RevokedCertificateEntries[0].SerialNumber, g.list.RevokedCertificateEntries[0].ReasonCode = serial("issuing"), reasonCertificateHold
		g.list.ExtraExtensions = nil
	})
	f.add("issuing", certificateScene(t, "", nil).blocks[0].Bytes)
	f.lists = []KnownCertificate{{Owner: "now", DER: held.blocks[0].Bytes}}
	if got := strings.Join(f.judge(t, "now"), " "); got != "e_crlx_hold_on_ca" {
		t.Errorf("an authority on hold: findings are %q", got)
	}
	if got := strings.Join(f.judge(t, "issuing"), " "); got != "n_ca_revoked" {
		t.Errorf("what is on the list: findings are %q", got)
	}
	forged := listScene(t, "", nil, func(g *listStage) {
		g.signer = testKey(t, "ecdsa-p384", "forger")
		g.parent = &x509.Certificate{RawSubject: g.parent.RawSubject, SubjectKeyId: keyID(t, g.signer), KeyUsage: g.parent.KeyUsage, PublicKey: g.signer.Public()}
		g.list.RevokedCertificateEntries[0].SerialNumber = serial("issuing")
	})
	f.lists = []KnownCertificate{{Owner: "now", DER: forged.blocks[0].Bytes}}
	if got := strings.Join(f.judge(t, "now"), " "); got != "w_crlx_issuer_has_other_key" {
		t.Errorf("a list by somebody of the root's name: findings are %q", got)
	}
	if got := f.judge(t, "issuing"); len(got) > 0 {
		t.Errorf("what a forger revokes: findings are %q", got)
	}
}

// TestHierarchyOfRings shows that authorities which certified each other, and
// stand on nothing, come to an end.
func TestHierarchyOfRings(t *testing.T) {
	a, b := testKey(t, "ecdsa-p256", "ring a"), testKey(t, "ecdsa-p256", "ring b")
	certify := func(of, by string) []byte {
		subject, issuer := issuingTemplate(t, a), rootTemplate(t, b)
		subject.Subject, issuer.Subject = name(of), name(by)
		key, signer := a, b
		if of == "ACME B" {
			key, signer = b, a
		}
		subject.SubjectKeyId, issuer.SubjectKeyId = keyID(t, key), keyID(t, signer)
		return signCertificate(t, subject, issuer, key, signer)
	}
	f := &family{}
	f.add("a", certify("ACME A", "ACME B"))
	f.add("b", certify("ACME B", "ACME A"))
	for _, who := range []string{"a", "b"} {
		if got := f.judge(t, who); slices.Contains(got, "e_ca_signature_not_by_issuer") {
			t.Errorf("%s: findings are %q", who, got)
		}
	}
}

// TestSharedFactors finds the primes that keys have in common, and only those.
func TestSharedFactors(t *testing.T) {
	number := func(text string) *big.Int {
		n, ok := new(big.Int).SetString(text, 16)
		if !ok {
			t.Fatalf("%q is no number", text)
		}
		return n
	}
	// The first primes above 2^64, 2^65 and 2^66, and two others.
	p, q, r, s := number("1000000000000000d"), number("20000000000000083"), number("40000000000000009"), number("fffffffffffffffb")
	product := func(a, b *big.Int) *big.Int { return new(big.Int).Mul(a, b) }
	for name, c := range map[string]struct {
		moduli []*big.Int
		want   int
	}{
		"nothing in common": {[]*big.Int{product(p, q), product(r, s)}, 0},
		"two of three":      {[]*big.Int{product(p, q), product(r, s), product(p, r)}, 3},
		"one pair in many":  {[]*big.Int{product(p, p), product(q, r), product(s, s), product(q, q)}, 2},
	} {
		if got := len(sharedFactors(placedModuli(c.moduli))); got != c.want {
			t.Errorf("%s: %d keys, want %d", name, got, c.want)
		}
	}
}

// placedModuli is certificates that hold RSA keys of those moduli, and nothing
// else.
func placedModuli(moduli []*big.Int) []*placed {
	var all []*placed
	for i, n := range moduli {
		c := &x509.Certificate{PublicKey: &rsa.PublicKey{N: n, E: 65537}, RawSubjectPublicKeyInfo: []byte{byte(i)}}
		all = append(all, &placed{neighbour: neighbour{fmt.Sprint(i), c}})
	}
	return all
}
