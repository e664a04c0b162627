package tbs

import (
	"bytes"
	"testing"

	"pki.internal/plan/tbs/public"
	"pki.internal/spec"
)

func TestPreviewKeysAreDistinctDeterministicAndKnown(t *testing.T) {
	seen := map[string]string{}
	for _, a := range spec.KeyTypes() {
		for index := range MaxPreviewKeys {
			key, err := PreviewKey(a, index)
			if err != nil {
				t.Fatalf("%s %d: %v", a, index, err)
			}
			spki, err := public.Marshal(key.Public())
			if err != nil {
				t.Fatal(err)
			}
			if other, taken := seen[string(spki)]; taken {
				t.Fatalf("%s %d is the same key as %s", a, index, other)
			}
			seen[string(spki)] = string(a)
			// Each look-up makes every key of the algorithm again.
			if sampled := !a.PostQuantum() || index%13 == 0; sampled && !IsPreviewKey(spki) {
				t.Errorf("%s %d is not recognised", a, index)
			}
			if got, err := AlgorithmOf(key.Public()); err != nil || got != a {
				t.Errorf("AlgorithmOf = %v, %v; want %s", got, err, a)
			}
		}
		if _, err := PreviewKey(a, MaxPreviews(a)); err == nil {
			t.Errorf("%s: index past the end was accepted", a)
		}
	}
}

func TestPreviewSignatures(t *testing.T) {
	for _, a := range spec.Algorithms() {
		t.Run(string(a), func(t *testing.T) {
			key, err := PreviewKey(a, 7)
			if err != nil {
				t.Fatal(err)
			}
			spki, err := public.Marshal(key.Public())
			if err != nil {
				t.Fatal(err)
			}
			message := []byte("what is signed")
			first, err := Sign(key, a, message)
			if err != nil {
				t.Fatal(err)
			}
			second, err := Sign(key, a, message)
			if err != nil || !bytes.Equal(first, second) {
				t.Errorf("two signatures of one message differ (%v)", err)
			}
			if err := Verify(a, spki, message, first); err != nil {
				t.Errorf("good signature: %v", err)
			}
			first[len(first)-1] ^= 1
			if err := Verify(a, spki, message, first); err == nil {
				t.Error("a changed signature verifies")
			}
		})
	}
}
