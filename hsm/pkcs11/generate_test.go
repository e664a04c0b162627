//go:build cgo

package pkcs11

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"testing"

	"pki.internal/hsm"
	"pki.internal/spec"
)

// TestEveryAlgorithm makes a key of each on a real token, finds it in another
// process, and signs.
func TestEveryAlgorithm(t *testing.T) {
	o := newToken(t, "all")
	s := openToken(t, o)
	for _, a := range spec.KeyTypes() {
		if a == spec.RSA4096 {
			continue // TestTestReport makes one
		}
		k := keySpec(a, "key-"+string(a))
		if a.PostQuantum() && !has(s, ckmMLDSAKeyGen) {
			if _, _, err := s.Generate(t.Context(), k); !errors.Is(err, hsm.ErrUnsupported) || !strings.Contains(err.Error(), "ML_DSA_KEY_PAIR_GEN") {
				t.Errorf("%s: %v, want that the token has no mechanism for it", a, err)
			}
			continue
		}
		made, evidence, err := s.Generate(t.Context(), k)
		if err != nil {
			t.Fatalf("%s: %v", a, err)
		}
		for _, want := range []hsm.Evidence{
			{Claim: "sensitive=true", Grade: hsm.Observed}, {Claim: "extractable=false", Grade: hsm.Observed},
			{Claim: "sign=true", Grade: hsm.Observed}, {Claim: "decrypt=false", Grade: hsm.Observed}, {Claim: "derive=false", Grade: hsm.Observed}, {Claim: "unwrap=false", Grade: hsm.Observed},
			{Claim: "local=true", Grade: hsm.Claimed}, {Claim: "the attempt to read the private value was refused (C_GetAttributeValue: CKR_ATTRIBUTE_SENSITIVE 0x11)", Grade: hsm.Proven},
		} {
			if !slices.Contains(evidence, want) {
				t.Errorf("%s: no evidence %v in %v", a, want, evidence)
			}
		}
		found, err := openToken(t, o).Find(t.Context(), k, spki(t, made))
		if err != nil {
			t.Fatalf("%s: %v", a, err)
		}
		message, opts := []byte("what is signed"), crypto.SignerOpts(crypto.Hash(0))
		if takesDigest(a) {
			sum := sha256.Sum256(message)
			message, opts = sum[:], crypto.SHA256
		}
		signature, err := found.Sign(t.Context(), message, opts)
		if err != nil {
			t.Fatalf("%s: %v", a, err)
		}
		if !verifies(made.Public(), message, signature, opts) {
			t.Errorf("%s: the signature does not verify", a)
		}
		if a == spec.RSA3072 {
			signPSS(t, found)
		}
	}
}

// has says whether the token of a store lists a mechanism.
func has(s *Store, mechanism uint) bool {
	_, listed := s.mechanism(mechanism)
	return listed
}

func verifies(public crypto.PublicKey, digest, signature []byte, opts crypto.SignerOpts) bool {
	switch k := public.(type) {
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(k, digest, signature)
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(k, opts.HashFunc(), digest, signature) == nil
	case ed25519.PublicKey:
		return ed25519.Verify(k, digest, signature)
	}
	return false
}

// signPSS is what a later profile may want of an RSA key.
func signPSS(t *testing.T, k hsm.Key) {
	t.Helper()
	digest := sha256.Sum256([]byte("message"))
	for _, salt := range []int{rsa.PSSSaltLengthEqualsHash, rsa.PSSSaltLengthAuto, 20} {
		opts := &rsa.PSSOptions{SaltLength: salt, Hash: crypto.SHA256}
		signature, err := k.Sign(t.Context(), digest[:], opts)
		if err != nil {
			t.Fatalf("salt %d: %v", salt, err)
		}
		if err := rsa.VerifyPSS(k.Public().(*rsa.PublicKey), crypto.SHA256, digest[:], signature, opts); err != nil {
			t.Errorf("salt %d: %v", salt, err)
		}
	}
}

func TestGenerateRefusesWhatIsTaken(t *testing.T) {
	o := newToken(t, "taken")
	s := openToken(t, o)
	k := keySpec(spec.ECDSAP256, "root")
	if _, _, err := s.Generate(t.Context(), k); err != nil {
		t.Fatal(err)
	}
	other := keySpec(spec.ECDSAP256, "root")
	sameID := hsm.KeySpec{ID: k.ID, Label: "other", Algorithm: spec.Ed25519}
	for name, again := range map[string]hsm.KeySpec{"label": other, "id": sameID, "both": k} {
		if made, _, err := s.Generate(t.Context(), again); !errors.Is(err, hsm.ErrExists) || made != nil {
			t.Errorf("%s taken: %v", name, err)
		}
	}
	if n := count(t, o, ckoPrivate, k.ID) + count(t, o, ckoPrivate, other.ID); n != 1 {
		t.Errorf("the token has %d keys, want 1", n)
	}
}

func TestFind(t *testing.T) {
	o := newToken(t, "find")
	s := openToken(t, o)
	k, twin := keySpec(spec.ECDSAP384, "root"), keySpec(spec.ECDSAP256, "twin")
	made, _, err := s.Generate(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	plant(t, s, spec.ECDSAP256, twin.ID, twin.Label)
	plant(t, s, spec.ECDSAP256, twin.ID, twin.Label)
	stranger, _, err := s.Generate(t.Context(), keySpec(spec.ECDSAP384, "stranger"))
	if err != nil {
		t.Fatal(err)
	}
	kind, label := k, k
	kind.Algorithm, label.Label = spec.ECDSAP256, "another"
	for name, c := range map[string]struct {
		k    hsm.KeySpec
		spki []byte
		want error
	}{
		"recorded":        {k, spki(t, made), nil},
		"adopted":         {k, nil, nil},
		"other key":       {k, spki(t, stranger), hsm.ErrMismatch},
		"other algorithm": {kind, nil, hsm.ErrMismatch},
		"other label":     {label, nil, hsm.ErrMismatch},
		"missing":         {keySpec(spec.ECDSAP384, "none"), nil, hsm.ErrNotFound},
		"twins":           {twin, nil, hsm.ErrAmbiguous},
		"no id":           {hsm.KeySpec{Label: "root", Algorithm: spec.ECDSAP384}, nil, hsm.ErrNotFound},
	} {
		found, err := s.Find(t.Context(), c.k, c.spki)
		if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if c.want != nil && found != nil {
			t.Errorf("%s: a key came along with the error", name)
		}
		if c.want == nil && !same(spki(t, found), spki(t, made)) {
			t.Errorf("%s: another key was found", name)
		}
	}
}

// TestHalfPairs plays what a killed key generation leaves.
func TestHalfPairs(t *testing.T) {
	s := openToken(t, newToken(t, "half"))
	for _, c := range []struct {
		name   string
		remove int // which of the two halves
	}{{"public", 1}, {"private", 0}} {
		k := keySpec(spec.ECDSAP256, c.name+"-half")
		remove(t, s, plant(t, s, k.Algorithm, k.ID, k.Label)[c.remove])
		_, err := s.Find(t.Context(), k, nil)
		if !errors.Is(err, hsm.ErrHalfPair) || !strings.Contains(err.Error(), "only the "+c.name+" half") || !strings.Contains(err.Error(), "--delete-object") {
			t.Errorf("%s half: %v", c.name, err)
		}
		if errors.Is(err, hsm.ErrNotFound) {
			t.Errorf("%s half: a ceremony would make a second key", c.name)
		}
	}
	c, err := Inspect(t.Context(), Options{Module: s.client.module, Env: nil, Token: Selector{Label: "half"}}, false, nil)
	if err == nil {
		t.Errorf("a token of another configuration was found: %v", c.Token)
	}
}

// TestKeyWithoutPublicObject is a token that keeps private halves only: the
// recorded public key and a signature are proof enough.
func TestKeyWithoutPublicObject(t *testing.T) {
	s := openToken(t, newToken(t, "bare"))
	k := keySpec(spec.ECDSAP256, "bare")
	made, _, err := s.Generate(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.pair(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	remove(t, s, p.public.Handle)
	if _, err := s.Find(t.Context(), k, spki(t, made)); err != nil {
		t.Errorf("with its public key: %v", err)
	}
	stranger, _, err := s.Generate(t.Context(), keySpec(spec.ECDSAP256, "stranger"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Find(t.Context(), k, spki(t, stranger)); !errors.Is(err, hsm.ErrMismatch) {
		t.Errorf("with another public key: %v", err)
	}
}

func TestTestReport(t *testing.T) {
	o := newToken(t, "report")
	c, err := Test(t.Context(), o, []byte(userPIN))
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range spec.KeyTypes() {
		why, works := c.Can(a)
		listed := slices.ContainsFunc(c.Mechanisms, func(m spec.CapabilityMechanism) bool { return m.Name == "ML_DSA_KEY_PAIR_GEN" })
		switch {
		case a.PostQuantum() && !listed:
			if works || !strings.Contains(why, "it has no mechanism ML_DSA_KEY_PAIR_GEN") {
				t.Errorf("%s: %t, %s; want the reason why not", a, works, why)
			}
		case !works:
			t.Errorf("%s: %s", a, why)
		}
	}
	for a, copied := range map[spec.Algorithm]bool{spec.ECDSAP384: true, spec.RSA4096: true, spec.Ed25519: false} {
		if why, can := c.CanCopy(a); can != copied || !copied && !strings.Contains(why, "CKR_KEY_NOT_WRAPPABLE") {
			t.Errorf("%s can be copied: %t, %s", a, can, why)
		}
	}
	if len(c.Confinement) < 3 {
		t.Errorf("attempts = %v, want the value and two ways to wrap", c.Confinement)
	}
	refused := 0
	for _, r := range c.Confinement {
		if r.Outcome == spec.AttemptSucceeded {
			t.Errorf("%s: %s", r.Attempt, r.Answer)
		}
		if r.Outcome == spec.AttemptRefused {
			refused++
		}
	}
	if refused < 3 {
		t.Errorf("attempts = %v, want three refused", c.Confinement)
	}
	left, err := Inspect(t.Context(), o, true, []byte(userPIN))
	if err != nil || len(left.Objects) != 0 {
		t.Errorf("the test left %v (%v)", left.Objects, err)
	}
}
