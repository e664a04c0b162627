// Package hsmtest answers one question: does a key store keep the contract of
// package hsm? Every driver's tests run it, so that a ceremony may rely on the
// same words whatever holds its keys.
package hsmtest

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"testing"

	"pki.internal/hsm"
	"pki.internal/plan/tbs/public"
	"pki.internal/spec"
)

// Contract is a key store under test.
type Contract struct {
	// Open opens the store, the same one every time. The suite closes it.
	Open func(t testing.TB) hsm.Store
	// Spec names a key that is not there yet; the same label gives the same key.
	Spec func(a spec.Algorithm, label string) hsm.KeySpec
	// Algorithms that the store can do, the first of them quickly.
	Algorithms []spec.Algorithm
	// Lacks are algorithms that it must refuse without making anything.
	Lacks []spec.Algorithm
	// Second opens another store of the kind, to which keys can be copied; nil
	// where they cannot. Elsewhere names a key in it.
	Second    func(t testing.TB) hsm.Store
	Elsewhere func(k hsm.KeySpec) hsm.KeySpec
	Seals     bool // a key that was copied can be kept from leaving again
}

// Run holds a store against the contract.
func Run(t *testing.T, c Contract) {
	for _, a := range c.Algorithms {
		t.Run(string(a), func(t *testing.T) { c.lifeOfAKey(t, a) })
	}
	t.Run("two keys", c.twoKeys)
	if c.Second != nil {
		t.Run("backup", c.backup)
	}
	for _, a := range c.Lacks {
		t.Run("lacks "+string(a), func(t *testing.T) {
			s := c.open(t)
			if key, _, err := s.Generate(t.Context(), c.Spec(a, "lacks-"+string(a))); !errors.Is(err, hsm.ErrUnsupported) || key != nil {
				t.Errorf("Generate = %v, %v", key, err)
			}
			c.isMissing(t, s, c.Spec(a, "lacks-"+string(a)))
		})
	}
}

func (c Contract) open(t *testing.T) hsm.Store {
	t.Helper()
	s := c.Open(t)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func (c Contract) isMissing(t *testing.T, s hsm.Store, k hsm.KeySpec) {
	t.Helper()
	if key, err := s.Find(t.Context(), k, nil); !errors.Is(err, hsm.ErrNotFound) || key != nil {
		t.Errorf("a key that is not there: %v, %v", key, err)
	}
}

// lifeOfAKey makes a key, uses it, refuses to make it again, and finds it
// after the store was closed.
func (c Contract) lifeOfAKey(t *testing.T, a spec.Algorithm) {
	k := c.Spec(a, "life-"+string(a))
	first := c.Open(t)
	c.isMissing(t, first, k)
	made, evidence, err := first.Generate(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range evidence {
		if e.Claim == "" || e.Grade != hsm.Claimed && e.Grade != hsm.Observed && e.Grade != hsm.Proven {
			t.Errorf("evidence %+v", e)
		}
	}
	signs(t, made)
	if again, _, err := first.Generate(t.Context(), k); !errors.Is(err, hsm.ErrExists) || again != nil {
		t.Errorf("made a second time: %v, %v", again, err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	s := c.open(t)
	for name, want := range map[string][]byte{"by its public key": spkiOf(t, made), "for adoption": nil} {
		found, err := s.Find(t.Context(), k, want)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !bytes.Equal(spkiOf(t, found), spkiOf(t, made)) {
			t.Errorf("%s: it is another key", name)
		}
		signs(t, found)
	}
	other := append([]byte(nil), spkiOf(t, made)...)
	other[len(other)-1] ^= 1
	if found, err := s.Find(t.Context(), k, other); !errors.Is(err, hsm.ErrMismatch) || found != nil {
		t.Errorf("by the public key of another: %v, %v", found, err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := s.Generate(ended, c.Spec(a, "late-"+string(a))); err == nil {
		t.Error("a key was made after the command had been interrupted")
	}
}

// twoKeys keeps two keys of one kind apart.
func (c Contract) twoKeys(t *testing.T) {
	s := c.open(t)
	a := c.Algorithms[0]
	one, two := c.Spec(a, "one"), c.Spec(a, "two")
	first, _, err := s.Generate(t.Context(), one)
	if err != nil {
		t.Fatal(err)
	}
	c.isMissing(t, s, two)
	second, _, err := s.Generate(t.Context(), two)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(spkiOf(t, first), spkiOf(t, second)) {
		t.Error("two keys are one")
	}
	if found, err := s.Find(t.Context(), two, spkiOf(t, first)); !errors.Is(err, hsm.ErrMismatch) || found != nil {
		t.Errorf("one key under the other's name: %v, %v", found, err)
	}
	signs(t, first)
	signs(t, second)
}

// backup copies a key to another store, takes the copy over, and signs with it
// when only the second store is there.
func (c Contract) backup(t *testing.T) {
	a := c.Algorithms[0]
	k := c.Spec(a, "backup")
	k.Leaves = c.Seals
	first, second := c.open(t), c.Second(t)
	copier, is := first.(hsm.Copier)
	if !is {
		t.Fatalf("%T copies no keys", first)
	}
	way, err := copier.CanCopy(t.Context(), a, second)
	if err != nil {
		t.Fatal(err)
	}
	c.isMissing(t, first, k)
	made, _, err := first.Generate(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	order := hsm.Copying{Key: k, SPKI: spkiOf(t, made), To: second, At: c.Elsewhere(k), Way: way}
	copied, err := copier.Copy(t.Context(), order)
	if err != nil || copied.Adopted {
		t.Fatal(copied, err)
	}
	signs(t, copied.Key)
	if again, err := copier.Copy(t.Context(), order); !errors.Is(err, hsm.ErrExists) || again.Key != nil {
		t.Errorf("copied a second time: %v, %v", again, err)
	}
	order.Resumed = true
	if again, err := copier.Copy(t.Context(), order); err != nil || !again.Adopted {
		t.Errorf("after an interruption: %v, %v", again, err)
	}
	if _, err := copier.Seal(t.Context(), k, spkiOf(t, made)); (err == nil) != c.Seals || err != nil && !errors.Is(err, hsm.ErrUnsupported) {
		t.Errorf("sealing: %v", err)
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	alone := c.Second(t)
	found, err := alone.Find(t.Context(), c.Elsewhere(k), spkiOf(t, made))
	if err != nil {
		t.Fatal(err)
	}
	signs(t, found)
	if err := alone.Close(); err != nil {
		t.Error(err)
	}
}

func spkiOf(t *testing.T, k hsm.Key) []byte {
	t.Helper()
	der, err := public.Marshal(k.Public())
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// signs has a key sign in every way that its algorithm is used in.
func signs(t *testing.T, k hsm.Key) {
	t.Helper()
	message := []byte("what is signed")
	sum256, sum384 := sha256.Sum256(message), sha512.Sum384(message)
	sign := func(digest []byte, opts crypto.SignerOpts) []byte {
		signature, err := k.Sign(t.Context(), digest, opts)
		if err != nil {
			t.Fatalf("%T: %v", k.Public(), err)
		}
		return signature
	}
	good := false
	switch key := k.Public().(type) {
	case *ecdsa.PublicKey:
		good = ecdsa.VerifyASN1(key, sum384[:], sign(sum384[:], crypto.SHA384)) && ecdsa.VerifyASN1(key, sum256[:], sign(sum256[:], crypto.SHA256))
	case ed25519.PublicKey:
		good = ed25519.Verify(key, message, sign(message, crypto.Hash(0)))
	case *rsa.PublicKey:
		pss := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256}
		good = rsa.VerifyPKCS1v15(key, crypto.SHA256, sum256[:], sign(sum256[:], crypto.SHA256)) == nil &&
			rsa.VerifyPSS(key, crypto.SHA256, sum256[:], sign(sum256[:], pss), pss) == nil
	}
	if !good {
		t.Errorf("a signature by a key of type %T does not verify", k.Public())
	}
}
