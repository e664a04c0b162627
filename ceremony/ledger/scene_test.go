package ledger_test

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"os"
	"testing"
	"time"

	"pki.internal/ceremony/ledger"
	"pki.internal/plan"
	"pki.internal/plan/tbs"
	"pki.internal/spec"
	"pki.internal/spec/hclspec"
)

var date = time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)

// writeLedger holds the ceremony of examples/two-tier with keys that everyone
// has, and gives the folder of its ledger.
func writeLedger(tb testing.TB) *os.Root {
	tb.Helper()
	root, err := os.OpenRoot(tb.TempDir())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { root.Close() })
	loaded, diags := hclspec.Load(os.DirFS("../../examples/two-tier"), nil)
	if diags.HasErrors() {
		tb.Fatal(diags)
	}
	p, diags := plan.Make(loaded.Estate, plan.State{}, plan.Inputs{At: date, Window: spec.Duration{Days: 1}, Seed: [32]byte{9}})
	if diags.HasErrors() {
		tb.Fatal(diags)
	}
	l, err := ledger.Open(root, "ledger.jsonl", rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	digest, err := p.Digest()
	if err != nil {
		tb.Fatal(err)
	}
	word := hex.EncodeToString(digest[:])
	add(tb, l, plan.Event{Kind: plan.CeremonyBegun, Begun: &plan.Begun{Plan: p, PlanDigest: word}})
	keys := map[spec.Address]crypto.Signer{}
	for _, a := range p.Actions {
		for _, e := range carryOut(tb, l.State(), a, keys) {
			add(tb, l, e)
		}
	}
	add(tb, l, plan.Event{Kind: plan.CeremonyFinished, Finished: &plan.Finished{PlanDigest: word, Actions: len(p.Actions)}})
	return root
}

func add(tb testing.TB, l *ledger.File, e plan.Event) {
	tb.Helper()
	e.Time, e.Audience = date.Add(time.Minute), plan.AudienceOf(e)
	if err := l.Append(e); err != nil {
		tb.Fatal(err)
	}
}

// carryOut gives the events of one action.
func carryOut(tb testing.TB, s plan.State, a plan.Action, keys map[spec.Address]crypto.Signer) []plan.Event {
	tb.Helper()
	sign := func(by plan.KeyRef, message []byte, err error) []byte {
		if err != nil {
			tb.Fatal(err)
		}
		signature, err := tbs.Sign(keys[by.Address], by.Algorithm, message)
		if err != nil {
			tb.Fatal(err)
		}
		der, err := tbs.Assemble(message, by.Algorithm, signature)
		if err != nil {
			tb.Fatal(err)
		}
		return der
	}
	switch a.Kind {
	case plan.GenerateKey:
		key, err := tbs.PreviewKey(a.GenerateKey.Algorithm, 40+a.Number)
		if err != nil {
			tb.Fatal(err)
		}
		keys[a.Address] = key
		spki, err := x509.MarshalPKIXPublicKey(key.Public())
		if err != nil {
			tb.Fatal(err)
		}
		return []plan.Event{
			{Kind: plan.KeyWasIntended, KeyIntended: &plan.KeyIntended{Action: a.Number, Key: *a.GenerateKey}},
			{Kind: plan.KeyWasMade, KeyMade: &plan.KeyMade{Action: a.Number, Address: a.Address, Key: *a.GenerateKey, SPKI: spki}},
		}
	case plan.SignCertificate:
		built, err := s.CertificateTBS(a.SignCertificate)
		der := sign(a.SignCertificate.Issuer, built, err)
		return []plan.Event{{Kind: plan.CertificateSigned, Certificate: &plan.Signed{Action: a.Number, Address: a.Address, Generation: 1, DER: der}}}
	case plan.SignCRL:
		built, err := s.CRLTBS(a.SignCRL)
		der := sign(a.SignCRL.Issuer, built, err)
		return []plan.Event{{Kind: plan.CRLSigned, CRL: &plan.Signed{Action: a.Number, Address: a.Address, Number: a.SignCRL.Number, DER: der}}}
	}
	return []plan.Event{{Kind: plan.ProvisionerKeyMade, Provisioner: &plan.ProvKey{Action: a.Number, Address: a.Address, JWK: "{}", JWE: "a.b.c.d.e"}}}
}

func text(tb testing.TB, root *os.Root) []byte {
	tb.Helper()
	b, err := root.ReadFile("ledger.jsonl")
	if err != nil {
		tb.Fatal(err)
	}
	return b
}
