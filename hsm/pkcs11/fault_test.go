//go:build cgo

package pkcs11

import (
	"crypto"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pki.internal/hsm"
	"pki.internal/spec"
)

// TestSignFaults signs through a module that goes wrong at the second C_Sign;
// the first proves the key.
func TestSignFaults(t *testing.T) {
	o := newToken(t, "faults")
	k := keySpec(spec.ECDSAP256, "root")
	made, _, err := openToken(t, o).Generate(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte("message"))
	for order, want := range map[string]error{
		"return 0x32": hsm.ErrTokenGone, "after 0x32": hsm.ErrTokenGone, "after 0x5": hsm.ErrTokenGone, "return 0x80000042": hsm.ErrToken,
		"flip": hsm.ErrMismatch, "trunc": hsm.ErrMismatch, "hang": hsm.ErrTokenGone, "kill": hsm.ErrTokenGone, "segv": hsm.ErrTokenGone,
		"killafter": hsm.ErrTokenGone,
	} {
		t.Run(order, func(t *testing.T) {
			broken := faulty(t, o, "C_Sign 2 "+order)
			broken.Deadline = 5 * time.Second
			s := openToken(t, broken)
			found, err := s.Find(t.Context(), k, spki(t, made))
			if err != nil {
				t.Fatal(err)
			}
			s.client.deadline = 300 * time.Millisecond
			signature, err := found.Sign(t.Context(), digest[:], crypto.SHA256)
			if signature != nil || !errors.Is(err, want) || !errors.Is(err, hsm.ErrMaybeSigned) || !strings.Contains(err.Error(), hsm.ErrMaybeSigned.Error()) {
				t.Errorf("Sign = %x, %v, want %v that may have signed", signature, err, want)
			}
		})
	}
}

// TestFaultAtEveryCall fails each call that a key generation makes, one run a
// call, each in two ways. Whatever happens, the next run must find one key or
// be told of half a one, and never come to a second.
func TestFaultAtEveryCall(t *testing.T) {
	o := newToken(t, "every")
	trace := filepath.Join(t.TempDir(), "trace")
	s := openToken(t, faulty(t, o, "trace "+trace))
	if _, _, err := s.Generate(t.Context(), keySpec(spec.ECDSAP256, "model")); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	calls := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(calls) < 40 {
		t.Fatalf("only %d calls were made", len(calls))
	}
	survived := 0
	for i, call := range calls {
		function, _, _ := strings.Cut(call, " ")
		// Attributes are read many times; a few of these stand for all.
		if function == "C_GetAttributeValue" && i%37 != 0 || function == "C_GetMechanismInfo" && i%31 != 0 {
			continue
		}
		order := "after 0x30"
		if i%2 == 0 {
			order = "killafter"
		}
		k := keySpec(spec.ECDSAP256, fmt.Sprintf("key-%d", i))
		_, err := generateWith(t, faulty(t, o, call+" "+order), k)
		if err == nil {
			survived++
		} else if !isKind(err) {
			t.Errorf("%s %s: an error of no kind: %v", call, order, err)
		}
		after := openToken(t, o)
		_, found := after.Find(t.Context(), k, nil)
		switch {
		case found == nil, errors.Is(found, hsm.ErrHalfPair):
		case errors.Is(found, hsm.ErrNotFound):
			if _, _, err := after.Generate(t.Context(), k); err != nil {
				t.Errorf("%s %s: after a clean stop: %v", call, order, err)
			}
		default:
			t.Errorf("%s %s: %v", call, order, found)
		}
		if n := privates(t, after, k.ID); n > 1 {
			t.Errorf("%s %s: %d keys", call, order, n)
		}
		if err := after.Close(); err != nil {
			t.Error(err)
		}
	}
	if survived > len(calls)/2 {
		t.Errorf("%d of %d faults went unnoticed", survived, len(calls))
	}
}

func generateWith(t *testing.T, o Options, k hsm.KeySpec) (hsm.Key, error) {
	s, err := Open(t.Context(), o, []byte(userPIN))
	if err != nil {
		return nil, err
	}
	defer s.Close()
	made, _, err := s.Generate(t.Context(), k)
	return made, err
}

func privates(t *testing.T, s *Store, id []byte) int {
	t.Helper()
	found, err := s.objects(t.Context(), request{ByID: id})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, o := range found {
		if o.Class == ckoPrivate {
			n++
		}
	}
	return n
}

func isKind(err error) bool {
	for _, kind := range []error{hsm.ErrTokenGone, hsm.ErrToken, hsm.ErrUnsupported, hsm.ErrMismatch, hsm.ErrHalfPair, hsm.ErrNotFound, hsm.ErrAmbiguous} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}

// TestKilledInKeyGeneration kills the helper while the module works, a little
// later each time until a key survives whole, and looks at what is left.
func TestKilledInKeyGeneration(t *testing.T) {
	o := newToken(t, "killed")
	halves, whole, none := 0, 0, 0
	for i, wait := 0, 100; whole == 0 && wait < 5_000_000; i, wait = i+1, wait+wait/3 {
		k := keySpec(spec.ECDSAP384, fmt.Sprintf("key-%d", i))
		_, err := generateWith(t, faulty(t, o, fmt.Sprintf("C_GenerateKeyPair 1 killin %d", wait)), k)
		if err != nil && !errors.Is(err, hsm.ErrTokenGone) {
			t.Errorf("Generate = %v", err)
		}
		after := openToken(t, o)
		switch _, found := after.Find(t.Context(), k, nil); {
		case found == nil:
			whole++
		case errors.Is(found, hsm.ErrHalfPair):
			halves++
		case errors.Is(found, hsm.ErrNotFound):
			none++
		default:
			t.Errorf("Find = %v", found)
		}
		if n := privates(t, after, k.ID); n > 1 {
			t.Errorf("%d private keys", n)
		}
	}
	t.Logf("%d whole, %d half, %d none", whole, halves, none)
	if none+halves == 0 || whole == 0 {
		t.Errorf("the kills do not span the key generation")
	}
}

// BenchmarkSign shows what the helper process costs.
func BenchmarkSign(b *testing.B) {
	s := openToken(b, newToken(b, "bench"))
	k, _, err := s.Generate(b.Context(), keySpec(spec.ECDSAP256, "k"))
	if err != nil {
		b.Fatal(err)
	}
	digest := sha256.Sum256([]byte("message"))
	b.Run("through", func(b *testing.B) {
		for b.Loop() {
			if _, err := k.Sign(b.Context(), digest[:], crypto.SHA256); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("roundtrip", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.client.call(b.Context(), request{Op: "peek", Handle: k.(*key).handle, Mechanism: ckaValue}, nil); err == nil {
				b.Fatal("the private value is readable")
			}
		}
	})
}
