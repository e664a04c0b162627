//go:build cgo

package pkcs11

import (
	"errors"
	"testing"

	"pki.internal/hsm"
	"pki.internal/spec"
)

// TestGeneralErrorOfAKeyGeneration has a module report a general error, as one
// for TPMs does where it means that it dislikes the template. When nothing was
// made the next template is tried; when something was, nothing more is.
func TestGeneralErrorOfAKeyGeneration(t *testing.T) {
	o := newToken(t, "general")
	for order, want := range map[string]error{"return 0x5": nil, "after 0x5": hsm.ErrTokenGone, "return 0x30": hsm.ErrTokenGone} {
		t.Run(order, func(t *testing.T) {
			k := keySpec(spec.ECDSAP256, "key "+order)
			s := openToken(t, faulty(t, o, "C_GenerateKeyPair 1 "+order))
			key, _, err := s.Generate(t.Context(), k)
			if want == nil && (err != nil || key == nil) {
				t.Fatalf("Generate = %v, %v", key, err)
			}
			if want != nil && (!errors.Is(err, want) || key != nil) {
				t.Errorf("Generate = %v, %v, want %v", key, err, want)
			}
			pairs := map[string]int{"return 0x5": 1, "after 0x5": 1, "return 0x30": 0}[order]
			if n := count(t, o, ckoPrivate, k.ID); n != pairs {
				t.Errorf("the token holds %d keys, want %d", n, pairs)
			}
		})
	}
}
