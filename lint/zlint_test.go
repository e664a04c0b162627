package lint

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	zx509 "github.com/zmap/zcrypto/x509"
	"github.com/zmap/zlint/v3/lint"
)

func has(findings []Finding, id string) bool {
	return slices.ContainsFunc(findings, func(f Finding) bool { return f.Lint == id })
}

// TestGateIsLifted shows that adopted lints reach an authority for clients,
// which zlint by itself takes for none of its business.
func TestGateIsLifted(t *testing.T) {
	s := certificateScene(t, "", func(g *stage) {
		g.subject.KeyUsage = 0
		g.subject.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	})
	c := Certificate{DER: s.blocks[0].Bytes, Issuer: s.blocks[1].Bytes}
	if got := mustNew(t, "private").Certificate(c, testNow); !has(got, "e_ca_key_usage_missing") {
		t.Errorf("an authority without key usage has findings %v", words(got))
	}
}

// TestRegistryIsLeftAlone shows that lifting the gate does not reach other
// users of zlint's registry.
func TestRegistryIsLeftAlone(t *testing.T) {
	mustNew(t, "private")
	if lint.GlobalRegistry().CertificateLints().ByName("e_ca_key_usage_missing").OverrideFrameworkFilter {
		t.Error("the lint in zlint's registry was changed")
	}
}

// TestAdjustedSeverity shows that the table speaks in private, and zlint in
// webpki: twelve months are a notice and an error.
func TestAdjustedSeverity(t *testing.T) {
	s := listScene(t, "", nil, nil)
	for profile, want := range map[string]Severity{"private": Notice, "webpki": Error} {
		got := mustNew(t, profile).CRL(CRL{DER: s.blocks[0].Bytes}, testNow)
		i := slices.IndexFunc(got, func(f Finding) bool { return f.Lint == "e_crl_next_update_invalid" })
		if i < 0 || got[i].Severity != want || !strings.Contains(got[i].Detail, "12 months") || got[i].Source != "CABF_BR" || got[i].Citation == "" {
			t.Errorf("%s: findings are %+v, want %s", profile, got, want)
		}
	}
}

// TestListsOfElevenMonths shows that the limit of ten days, for lists of
// leaves, is not applied.
func TestListsOfElevenMonths(t *testing.T) {
	s := listScene(t, "", nil, func(g *listStage) {
		g.list.NextUpdate = crlFrom.AddDate(0, 11, 0)
		g.nextSigning = g.list.NextUpdate
	})
	if got := mustNew(t, "webpki").CRL(CRL{DER: s.blocks[0].Bytes}, testNow); has(got, "e_crl_next_update_invalid") {
		t.Errorf("findings are %v", words(got))
	}
}

// TestUnknownAlgorithmRoot shows that a root whose key zcrypto does not know is
// still taken for a root.
func TestUnknownAlgorithmRoot(t *testing.T) {
	key := testKey(t, "ed25519", "root")
	template := rootTemplate(t, key)
	der := signCertificate(t, template, template, key, key)
	ed25519, unknown := []byte{0x06, 0x03, 0x2b, 0x65, 0x70}, []byte{0x06, 0x03, 0x2b, 0x65, 0x63}
	if n := bytes.Count(der, ed25519); n != 3 {
		t.Fatalf("the algorithm is there %d times", n)
	}
	der = bytes.ReplaceAll(der, ed25519, unknown)
	got := mustNew(t, "private").Certificate(Certificate{DER: der, Draft: true, Role: RoleRoot}, testNow)
	if len(loud(got)) > 0 {
		t.Errorf("findings are %v", words(got))
	}
}

// TestDraftSignatureLength shows that a draft's stand-in signature is not taken for that
// of a smaller curve.
func TestDraftSignatureLength(t *testing.T) {
	for curve, want := range map[elliptic.Curve]int{elliptic.P256(): 72, elliptic.P384(): 104, elliptic.P521(): 139} {
		signer := &x509.Certificate{PublicKey: &ecdsa.PublicKey{Curve: curve}}
		if got := standInLength(true, signer); got != want {
			t.Errorf("%s: length is %d, want %d", curve.Params().Name, got, want)
		}
		if got := standInLength(false, signer); got != 0 {
			t.Errorf("%s: a real signature is replaced", curve.Params().Name)
		}
	}
}

// TestShortStandIn shows that a draft may carry any stand-in.
func TestShortStandIn(t *testing.T) {
	s := certificateScene(t, "", func(g *stage) {
		g.signer = testKey(t, "ecdsa-p256", "stand-in")
		g.parent.PublicKey = g.signer.Public()
		g.subject.SignatureAlgorithm = x509.ECDSAWithSHA384
	})
	c := Certificate{DER: s.blocks[0].Bytes, Issuer: s.blocks[1].Bytes, Draft: true, Role: RoleIssuing}
	if got := mustNew(t, "private").Certificate(c, testNow); len(loud(got)) > 0 {
		t.Errorf("findings are %v", words(got))
	}
	c.Draft = false
	if got := mustNew(t, "private").Certificate(c, testNow); !has(got, "e_mp_ecdsa_signature_encoding_correct") || !has(got, "e_ca_signature_not_by_issuer") {
		t.Errorf("findings of the same bytes as a certificate are %v", words(got))
	}
}

// TestOneRuleOnce shows that two lints of zlint which are one rule are reported
// once.
func TestOneRuleOnce(t *testing.T) {
	s := listScene(t, "", nil, func(g *listStage) {
		g.list.RevokedCertificateEntries = nil
		g.previous.RevokedCertificateEntries = nil
	})
	der := emptyEntries(t, s.blocks[0].Bytes)
	got := words(mustNew(t, "private").CRL(CRL{DER: der, Draft: true}, testNow))
	if n := strings.Count(strings.Join(got, " "), "empty"); n != 1 {
		t.Errorf("findings are %v, want the rule once", got)
	}
}

// emptyEntries puts an empty list of entries before the extensions of a list.
func emptyEntries(t testing.TB, der []byte) []byte {
	t.Helper()
	crl, err := x509.ParseRevocationList(der)
	noError(t, err)
	dates := []byte(crl.NextUpdate.Format("060102150405Z"))
	end := bytes.Index(der, dates) + len(dates)
	tbs := slices.Insert(slices.Clone(crl.RawTBSRevocationList), end-bytes.Index(der, crl.RawTBSRevocationList), 0x30, 0x00)
	if tbs[1] != 0x81 || der[1] != 0x82 {
		t.Fatalf("the list has an unexpected length of its length: %x, %x", tbs[:4], der[:4])
	}
	tbs[2] += 2
	out := append([]byte{0x30, 0x82, 0, 0}, tbs...)
	out = append(out, der[4+len(crl.RawTBSRevocationList):]...)
	out[2], out[3] = byte((len(out)-4)>>8), byte(len(out)-4)
	return out
}

// TestSeverityIsTheStatus shows that a result counts, not a name.
func TestSeverityIsTheStatus(t *testing.T) {
	meta := lint.LintMetadata{Name: "e_x", Description: "about x"}
	for status, want := range map[lint.LintStatus]Severity{lint.Notice: Notice, lint.Warn: Warn, lint.Error: Error, lint.Fatal: Fatal} {
		got := appendResult(nil, meta, 0, &lint.LintResult{Status: status})
		if len(got) != 1 || got[0].Severity != want || got[0].Detail != "about x" {
			t.Errorf("%s gives %+v", status, got)
		}
	}
	for _, status := range []lint.LintStatus{lint.NA, lint.NE, lint.Pass, lint.Reserved} {
		if got := appendResult(nil, meta, Error, &lint.LintResult{Status: status}); got != nil {
			t.Errorf("%s gives %+v", status, got)
		}
	}
	if got := appendResult(nil, meta, Notice, &lint.LintResult{Status: lint.Fatal}); got[0].Severity != Fatal {
		t.Errorf("an adjusted panic gives %+v", got)
	}
}

// TestDeterministic shows that one object gives one answer.
func TestDeterministic(t *testing.T) {
	l := mustNew(t, "webpki")
	s := listScene(t, "", nil, func(g *listStage) { g.list.Number = big.NewInt(1) })
	c := CRL{DER: s.blocks[0].Bytes, Previous: s.blocks[1].Bytes, Issuer: s.blocks[2].Bytes}
	first := fmt.Sprintf("%+v", l.CRL(c, testNow))
	for range 5 {
		if got := fmt.Sprintf("%+v", mustNew(t, "webpki").CRL(c, testNow)); got != first {
			t.Fatalf("findings are\n%s\nand then\n%s", first, got)
		}
	}
}

// badList is a lint that panics, as hostile lists have made some do.
type badList struct{}

func (badList) CheckApplies(*zx509.RevocationList) bool        { panic("out of cheese") }
func (badList) Execute(*zx509.RevocationList) *lint.LintResult { return nil }

// TestForeignPanics shows that a panic in zlint or in its parser is a finding.
func TestForeignPanics(t *testing.T) {
	bad := &lint.RevocationListLint{
		LintMetadata: lint.LintMetadata{Name: "e_bad"},
		Lint:         func() lint.RevocationListLintInterface { return badList{} },
	}
	z := &zlints{crls: []crlLint{{bad, Notice, bad}}}
	got := z.crl(&zx509.RevocationList{}, false, testNow)
	if len(got) != 1 || got[0].Severity != Fatal || !strings.Contains(got[0].Detail, "panicked") {
		t.Errorf("findings are %+v", got)
	}
	_, err := guard(func([]byte) (*int, error) { panic("out of cheese") }, nil)
	if err == nil || err.Error() != "the parser panicked: out of cheese" {
		t.Errorf("error is %v", err)
	}
}
