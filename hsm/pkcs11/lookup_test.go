//go:build cgo

package pkcs11

import (
	"crypto"
	"crypto/sha256"
	"errors"
	"testing"

	"pki.internal/hsm"
	"pki.internal/spec"
)

// TestLookup finds keys by what a URI may say of them.
func TestLookup(t *testing.T) {
	s := openToken(t, newToken(t, "lookup"))
	one, two := keySpec(spec.ECDSAP256, "twin"), keySpec(spec.Ed25519, "twin")
	made, _, err := s.Generate(t.Context(), one)
	if err != nil {
		t.Fatal(err)
	}
	// A key of the same label, as another program makes it.
	p, err := s.can(two.Algorithm)
	if err != nil {
		t.Fatal(err)
	}
	public, private := p.templates(two.ID, two.Label, true, false)
	if _, err := s.client.call(t.Context(), request{Op: "generate", Mechanism: p.generate, Public: public, Private: private}, nil); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		u    KeyURI
		kind error
	}{
		"id":               {KeyURI{ID: one.ID}, nil},
		"id and label":     {KeyURI{ID: one.ID, Label: "twin"}, nil},
		"label of two":     {KeyURI{Label: "twin"}, hsm.ErrAmbiguous},
		"another label":    {KeyURI{ID: one.ID, Label: "other"}, hsm.ErrNotFound},
		"another id":       {KeyURI{ID: []byte{7}}, hsm.ErrNotFound},
		"the other's key":  {KeyURI{ID: two.ID}, hsm.ErrMismatch},
		"nothing but both": {KeyURI{ID: two.ID, Label: "twin"}, hsm.ErrMismatch},
	} {
		k, err := s.Lookup(t.Context(), c.u, spki(t, made))
		if c.kind != nil {
			if !errors.Is(err, c.kind) || k != nil {
				t.Errorf("%s: %v, want %v", name, err, c.kind)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		digest := sha256.Sum256([]byte("a CRL"))
		signature, err := k.Sign(t.Context(), digest[:], crypto.SHA256)
		if err != nil || !verifies(made.Public(), digest[:], signature, crypto.SHA256) {
			t.Errorf("%s: the signature does not verify (%v)", name, err)
		}
	}
	stranger := openToken(t, newToken(t, "stranger"))
	other, _, err := stranger.Generate(t.Context(), keySpec(spec.ECDSAP256, "twin"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Lookup(t.Context(), KeyURI{ID: one.ID}, spki(t, other)); !errors.Is(err, hsm.ErrMismatch) {
		t.Errorf("a key that is not the certificate's: %v", err)
	}
}
