package plan_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"testing"

	"pki.internal/plan"
	"pki.internal/plan/tbs"
)

// performed carries a plan of P-256 keys out on keys in memory, and gives the
// state that its ledger would have.
func performed(tb testing.TB, s plan.State, p *plan.Plan) plan.State {
	tb.Helper()
	digest, err := p.Digest()
	if err != nil {
		tb.Fatal(err)
	}
	n := s.Head.Entries
	apply := func(e plan.Event) {
		n++
		e.Time, e.Audience = p.At, plan.Public
		next, err := s.Apply(e, plan.Head{Entries: n, Hash: fmt.Sprintf("%064x", n)})
		if err != nil {
			tb.Fatalf("%s: %v", e.Kind, err)
		}
		s = next
	}
	apply(plan.Event{Kind: plan.CeremonyBegun, Begun: &plan.Begun{Plan: p, PlanDigest: hex.EncodeToString(digest[:])}})
	keys := map[string]crypto.Signer{}
	seal := func(k plan.KeyRef, built []byte) []byte {
		signature, err := tbs.Sign(keys[k.Address.String()], k.Algorithm, built)
		if err != nil {
			tb.Fatal(err)
		}
		der, err := tbs.Assemble(built, k.Algorithm, signature)
		if err != nil {
			tb.Fatal(err)
		}
		return der
	}
	for _, a := range p.Actions {
		switch a.Kind {
		case plan.GenerateKey:
			key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			if err != nil {
				tb.Fatal(err)
			}
			spki, err := x509.MarshalPKIXPublicKey(key.Public())
			if err != nil {
				tb.Fatal(err)
			}
			keys[a.Address.String()] = key
			apply(plan.Event{Kind: plan.KeyWasIntended, KeyIntended: &plan.KeyIntended{Action: a.Number, Key: *a.GenerateKey}})
			apply(plan.Event{Kind: plan.KeyWasMade, KeyMade: &plan.KeyMade{Action: a.Number, Address: a.Address, Key: *a.GenerateKey, SPKI: spki}})
		case plan.SignCertificate:
			built, err := s.CertificateTBS(a.SignCertificate)
			if err != nil {
				tb.Fatal(err)
			}
			apply(plan.Event{Kind: plan.CertificateSigned, Certificate: &plan.Signed{
				Action: a.Number, Address: a.Address, Generation: a.SignCertificate.Generation, DER: seal(a.SignCertificate.Issuer, built),
			}})
		case plan.SignCRL:
			built, err := s.CRLTBS(a.SignCRL)
			if err != nil {
				tb.Fatal(err)
			}
			apply(plan.Event{Kind: plan.CRLSigned, CRL: &plan.Signed{Action: a.Number, Address: a.Address, Number: a.SignCRL.Number, DER: seal(a.SignCRL.Issuer, built)}})
		}
	}
	apply(plan.Event{Kind: plan.CeremonyFinished, Finished: &plan.Finished{PlanDigest: hex.EncodeToString(digest[:]), Actions: len(p.Actions)}})
	return s
}

// TestLargeEstateAfterItsCeremony wants an empty plan, and one action when one
// of many authorities changes.
func TestLargeEstateAfterItsCeremony(t *testing.T) {
	e := largeEstate(t, 100)
	s := performed(t, plan.State{}, mustMake(t, e, plan.State{}, someInputs))
	if left := mustMake(t, e, s, someInputs); len(left.Actions) > 0 {
		t.Errorf("%d actions left", len(left.Actions))
	}
	last := e.Authorities[len(e.Authorities)-1]
	last.KeyReuse, last.ExtendedKeyUsage = true, append(last.ExtendedKeyUsage, "server_auth")
	if p := mustMake(t, e, s, someInputs); len(p.Actions) != 1 || len(p.Changes) != 1 || p.Actions[0].Address != last.Address {
		t.Errorf("%d actions, %d changes", len(p.Actions), len(p.Changes))
	}
}

// BenchmarkMakeOneOfMany plans a change of one of many authorities that a
// ledger has.
func BenchmarkMakeOneOfMany(b *testing.B) {
	e := largeEstate(b, 10_000)
	first, diags := plan.Make(e, plan.State{}, someInputs)
	if diags.HasErrors() {
		b.Fatal(diags)
	}
	s := performed(b, plan.State{}, first)
	last := e.Authorities[len(e.Authorities)-1]
	last.KeyReuse, last.ExtendedKeyUsage = true, append(last.ExtendedKeyUsage, "server_auth")
	for b.Loop() {
		if p, diags := plan.Make(e, s, someInputs); diags.HasErrors() || len(p.Actions) != 1 {
			b.Fatal(diags)
		}
	}
}
