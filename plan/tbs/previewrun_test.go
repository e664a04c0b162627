package tbs

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"testing"

	"pki.internal/spec"
)

// TestRunKeysAreKnown tries the ends of each run and both sides of them, and
// places where the two kinds of step meet.
func TestRunKeysAreKnown(t *testing.T) {
	for _, a := range []spec.Algorithm{spec.ECDSAP256, spec.ECDSAP384, spec.ECDSAP521} {
		seen := map[string]bool{}
		for _, step := range []int{1, 2, babySteps - 1, babySteps, babySteps + 1, 5*babySteps + 7, runLength - 1, runLength} {
			key, err := PreviewKey(a, MaxPreviewKeys+step-1)
			if err != nil {
				t.Fatal(err)
			}
			spki, err := x509.MarshalPKIXPublicKey(key.Public())
			if err != nil {
				t.Fatal(err)
			}
			if !IsPreviewKey(spki) || seen[string(spki)] {
				t.Errorf("%s, step %d: not recognised, or seen before", a, step)
			}
			seen[string(spki)] = true
		}
		if _, err := PreviewKey(a, MaxPreviews(a)); err == nil {
			t.Errorf("%s: a key past the end of the run", a)
		}
		past, err := runKey(a, runLength+1)
		if err != nil {
			t.Fatal(err)
		}
		if runOf(a).holds(past.Public().(*ecdsa.PublicKey)) {
			t.Errorf("%s: the key after the run is recognised", a)
		}
	}
	for range 20 {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if runOf(spec.ECDSAP256).holds(&key.PublicKey) {
			t.Error("a random key is taken for a preview key")
		}
	}
}
