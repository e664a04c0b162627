//go:build cgo

package pkcs11

import (
	"crypto"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"testing"

	"pki.internal/hsm"
	"pki.internal/spec"
)

// twoTokens gives two tokens of one SoftHSM.
func twoTokens(t testing.TB) (a, b Options) {
	a = newToken(t, "first")
	return a, addToken(t, Options{Module: a.Module, Env: a.Env}, "second")
}

// TestCopy backs a key of each algorithm up onto a second token, seals the
// first, and signs with both in processes that did not make them.
func TestCopy(t *testing.T) {
	oa, ob := twoTokens(t)
	a, b := openToken(t, oa), openToken(t, ob)
	for _, algorithm := range []spec.Algorithm{spec.ECDSAP256, spec.ECDSAP384, spec.ECDSAP521, spec.RSA3072} {
		t.Run(string(algorithm), func(t *testing.T) {
			before := [2]int{len(listed(t, a)), len(listed(t, b))}
			way, err := a.CanCopy(t.Context(), algorithm, b)
			if err != nil {
				t.Fatal(err)
			}
			want := hsm.Way{Carrier: "RSA_PKCS_OAEP, SHA-1", Wrap: "AES_KEY_WRAP_PAD", Format: formZeros5649}
			if algorithm == spec.ECDSAP384 { // its PKCS#8 fills whole blocks
				want.Format = formRFC5649
			}
			if algorithm == spec.RSA3072 { // its length differs from key to key
				want.Format = way.Format
			}
			if way != want || !strings.HasPrefix(way.Format, formRFC5649) {
				t.Errorf("way %+v, want %+v", way, want)
			}
			if after := [2]int{len(listed(t, a)), len(listed(t, b))}; after != before {
				t.Errorf("the rehearsal left %v objects in place of %v", after, before)
			}
			k := keySpec(algorithm, "root-"+string(algorithm))
			k.Leaves = true
			made, evidence, err := a.Generate(t.Context(), k)
			if err != nil || !slices.Contains(evidence, hsm.Evidence{Claim: "extractable=true", Grade: hsm.Observed}) {
				t.Fatal(err, evidence)
			}
			c := hsm.Copying{Key: k, SPKI: spki(t, made), To: b, At: k, Way: way}
			copied, err := a.Copy(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			sealed, err := a.Seal(t.Context(), k, spki(t, made))
			if err != nil {
				t.Fatal(err)
			}
			for _, evidence := range [][]hsm.Evidence{copied.Evidence, sealed} {
				refused := slices.ContainsFunc(evidence, func(e hsm.Evidence) bool {
					return e.Grade == hsm.Proven && strings.HasPrefix(e.Claim, "the attempt to wrap it with ") && strings.Contains(e.Claim, "CKR_KEY_UNEXTRACTABLE")
				})
				if !refused || !slices.Contains(evidence, hsm.Evidence{Claim: "extractable=false", Grade: hsm.Observed}) {
					t.Errorf("evidence %v", evidence)
				}
			}
			if _, err := a.Copy(t.Context(), c); !errors.Is(err, hsm.ErrExists) {
				t.Errorf("a second copy: %v", err)
			}
			c.Resumed = true
			if again, err := a.Copy(t.Context(), c); err != nil || !again.Adopted {
				t.Errorf("after an interruption: %v, %v", again, err)
			}
			for _, o := range []Options{oa, ob} {
				found, err := openToken(t, o).Find(t.Context(), k, spki(t, made))
				if err != nil {
					t.Fatal(err)
				}
				digest := sha256.Sum256([]byte("message"))
				if _, err := found.Sign(t.Context(), digest[:], crypto.SHA256); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func listed(t *testing.T, s *Store) []object {
	t.Helper()
	found, err := s.settled(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestCannotCopy wants to hear why a key cannot be copied, before one is made.
func TestCannotCopy(t *testing.T) {
	oa, ob := twoTokens(t)
	a, b := openToken(t, oa), openToken(t, ob)
	refuses := func(from *Store, algorithm spec.Algorithm, to hsm.Store, says ...string) {
		t.Helper()
		_, err := from.CanCopy(t.Context(), algorithm, to)
		for _, text := range says {
			if !errors.Is(err, hsm.ErrUnsupported) || !strings.Contains(err.Error(), text) {
				t.Errorf("%v, want %q", err, text)
			}
		}
	}
	refuses(a, spec.Ed25519, b, `a key of Ed25519 cannot be copied to token "second"`, "AES_KEY_WRAP_PAD: C_WrapKey CKR_KEY_NOT_WRAPPABLE 0x69", "nothing was made")
	refuses(a, spec.ECDSAP384, nil, "to another token and nowhere else")
	t.Run("NSS", func(t *testing.T) {
		nss := openToken(t, newNSS(t))
		refuses(a, spec.ECDSAP384, nss, "AES_KEY_WRAP_PAD: C_UnwrapKey CKR_WRAPPED_KEY_INVALID", "it gives away a key that it calls not extractable")
		refuses(nss, spec.ECDSAP384, a, "AES_KEY_WRAP_PAD: C_UnwrapKey CKR_GENERAL_ERROR")
		refuses(nss, spec.Ed25519, a, "it has no mechanism EC_EDWARDS_KEY_PAIR_GEN")
	})
	t.Run("p11-kit", func(t *testing.T) {
		remote, _ := served(t, oa, "first")
		refuses(openToken(t, remote), spec.ECDSAP384, b, "no mechanism in common that wraps keys")
	})
}
