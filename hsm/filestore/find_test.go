package filestore

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"errors"
	"testing"

	"pki.internal/hsm"
	"pki.internal/spec"
)

func TestFind(t *testing.T) {
	s, folder := newStore(t)
	put(t, folder, "keys/root.key", quickFile(t, testKey(1), nil))
	mine, other := spkiOf(t, testKey(1).Public()), spkiOf(t, testKey(2).Public())
	stopped, stop := context.WithCancel(t.Context())
	stop()
	missing := keySpec(spec.Ed25519)
	missing.Location = "keys/missing.key"
	for name, c := range map[string]struct {
		ctx  context.Context
		k    hsm.KeySpec
		spki []byte
		want error
	}{
		"recorded key":      {t.Context(), keySpec(spec.Ed25519), mine, nil},
		"adopted key":       {t.Context(), keySpec(spec.Ed25519), nil, nil},
		"other key":         {t.Context(), keySpec(spec.Ed25519), other, hsm.ErrMismatch},
		"adopted algorithm": {t.Context(), keySpec(spec.ECDSAP384), nil, hsm.ErrMismatch},
		"missing":           {t.Context(), missing, nil, hsm.ErrNotFound},
		"cancelled":         {stopped, keySpec(spec.Ed25519), mine, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			found, err := s.Find(c.ctx, c.k, c.spki)
			if !errors.Is(err, c.want) {
				t.Fatalf("Find = %v, want %v", err, c.want)
			}
			if c.want == nil && !bytes.Equal(spkiOf(t, found.Public()), mine) {
				t.Error("another key was found")
			}
			if c.want != nil && found != nil {
				t.Error("a key came along with the error")
			}
		})
	}
}

func TestFoundKeySigns(t *testing.T) {
	s, folder := newStore(t)
	put(t, folder, "keys/root.key", quickFile(t, testKey(1), nil))
	k, err := s.Find(t.Context(), keySpec(spec.Ed25519), nil)
	if err != nil {
		t.Fatal(err)
	}
	message := []byte("what is signed")
	signature, err := k.Sign(t.Context(), message, crypto.Hash(0))
	if err != nil || !ed25519.Verify(testKey(1).Public().(ed25519.PublicKey), message, signature) {
		t.Errorf("the signature does not verify (%v)", err)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if signature, err := k.Sign(stopped, message, crypto.Hash(0)); !errors.Is(err, context.Canceled) || signature != nil {
		t.Errorf("Sign after the end = %x, %v", signature, err)
	}
}

func TestFindWithAWrongPassword(t *testing.T) {
	s, folder := newStore(t)
	put(t, folder, "keys/root.key", quickFile(t, testKey(1), nil))
	s.password[0] ^= 1
	if _, err := s.Find(t.Context(), keySpec(spec.Ed25519), nil); !errors.Is(err, hsm.ErrWrongPIN) {
		t.Errorf("Find = %v, want ErrWrongPIN", err)
	}
}

func TestAlgorithmOf(t *testing.T) {
	for want, a := range map[spec.Algorithm]spec.Algorithm{
		spec.ECDSAP256: spec.ECDSAP256, spec.ECDSAP384: spec.ECDSAP384, spec.ECDSAP521: spec.ECDSAP521,
		spec.RSA3072: spec.RSA3072, spec.Ed25519: spec.Ed25519,
	} {
		private, err := generate(a)
		if err != nil {
			t.Fatal(err)
		}
		if have := algorithmOf(private.Public()); have != want {
			t.Errorf("algorithmOf(%s) = %s", a, have)
		}
	}
	small := &ecdsa.PublicKey{Curve: elliptic.P224()}
	if have := algorithmOf(small); have != "ecdsa-p224" {
		t.Errorf("P-224 is %s", have)
	}
}
