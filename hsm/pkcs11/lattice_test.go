//go:build cgo

package pkcs11

import (
	"crypto"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"filippo.io/mldsa"

	"pki.internal/hsm"
	"pki.internal/spec"
)

// consult is the test's program as the oracle of testdata/lattice.c.
func consult(question string) int {
	words := strings.Split(question, ":")
	params := map[string]mldsa.Parameters{"1": mldsa.MLDSA44(), "2": mldsa.MLDSA65(), "3": mldsa.MLDSA87()}[words[1]]
	switch words[0] {
	case "make":
		key, err := mldsa.GenerateKey(params)
		if err != nil {
			return 1
		}
		fmt.Printf("%x %x\n", key.Bytes(), key.PublicKey().Bytes())
	case "sign":
		seed, err := hex.DecodeString(words[2])
		if err != nil {
			return 1
		}
		message, err := hex.DecodeString(words[3])
		if err != nil {
			return 1
		}
		key, err := mldsa.NewPrivateKey(params, seed)
		if err != nil {
			return 1
		}
		signature, err := key.Sign(nil, message, crypto.Hash(0))
		if err != nil {
			return 1
		}
		fmt.Printf("%x\n", signature)
	}
	return 0
}

// lattice puts a module that knows ML-DSA in front of another.
func lattice(t *testing.T, o Options, orders ...string) Options {
	t.Helper()
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Skip("gcc is not installed, so there is no token that knows ML-DSA")
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "lattice.so")
	if out, err := exec.CommandContext(t.Context(), "gcc", "-shared", "-fPIC", "-O1", "-Wall", "-o", file, "testdata/lattice.c", "-ldl").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	text := "module " + o.Module + "\noracle " + program + "\n" + strings.Join(orders, "\n") + "\n"
	if err := os.WriteFile(file+".conf", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	o.Module = file
	return o
}

// TestTokenOfVersion32 makes a key of each parameter set, finds it in another
// process and signs, on a token that knows ML-DSA.
func TestTokenOfVersion32(t *testing.T) {
	o := lattice(t, newToken(t, "lattice"))
	s := openToken(t, o)
	for _, a := range spec.KeyTypes() {
		if !a.PostQuantum() {
			continue
		}
		k := keySpec(a, "key-"+string(a))
		made, evidence, err := s.Generate(t.Context(), k)
		if err != nil {
			t.Fatalf("%s: %v", a, err)
		}
		for _, want := range []hsm.Evidence{
			{Claim: "the attempt to read the private value was refused (C_GetAttributeValue: CKR_ATTRIBUTE_SENSITIVE 0x11)", Grade: hsm.Proven}, {Claim: "the attempt to read the seed was refused (C_GetAttributeValue: CKR_ATTRIBUTE_SENSITIVE 0x11)", Grade: hsm.Proven},
			{Claim: "extractable=false", Grade: hsm.Observed}, {Claim: "sensitive=true", Grade: hsm.Observed},
		} {
			if !slices.Contains(evidence, want) {
				t.Errorf("%s: no evidence %v in %v", a, want, evidence)
			}
		}
		found, err := openToken(t, o).Find(t.Context(), k, spki(t, made))
		if err != nil {
			t.Fatalf("%s: %v", a, err)
		}
		message := []byte("what is signed, however long it is")
		signature, err := found.Sign(t.Context(), message, crypto.Hash(0))
		if err != nil {
			t.Fatalf("%s: %v", a, err)
		}
		if err := mldsa.Verify(made.Public().(*mldsa.PublicKey), message, signature, nil); err != nil {
			t.Errorf("%s: %v", a, err)
		}
		if _, err := found.Sign(t.Context(), make([]byte, 32), crypto.SHA256); err == nil {
			t.Errorf("%s: it signs a digest", a)
		}
		other := k
		other.Algorithm = spec.ECDSAP384
		if _, err := s.Find(t.Context(), other, nil); !errors.Is(err, hsm.ErrMismatch) {
			t.Errorf("%s, asked for as P-384: %v", a, err)
		}
	}
}

// TestReportOfVersion32 lets pki token test see what the token can do.
func TestReportOfVersion32(t *testing.T) {
	o := lattice(t, newToken(t, "report 3.2"))
	c, err := Test(t.Context(), o, []byte(userPIN))
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range spec.KeyTypes() {
		if why, works := c.Can(a); !works {
			t.Errorf("%s: %s", a, why)
		}
	}
	if !slices.ContainsFunc(c.Mechanisms, func(m spec.CapabilityMechanism) bool { return m.Name == "ML_DSA" }) {
		t.Errorf("mechanisms %v", c.Mechanisms)
	}
}

// TestWrongLatticeSignature shows that a signature of another message leaves no
// token: the key does not prove itself.
func TestWrongLatticeSignature(t *testing.T) {
	o := lattice(t, newToken(t, "wrong"), "wrong")
	_, _, err := openToken(t, o).Generate(t.Context(), keySpec(spec.MLDSA65, "root"))
	if !errors.Is(err, hsm.ErrMismatch) || !strings.Contains(err.Error(), "does not prove itself") {
		t.Errorf("Generate = %v", err)
	}
}
