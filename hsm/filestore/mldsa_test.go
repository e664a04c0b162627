package filestore

import (
	"bytes"
	"compress/gzip"
	"crypto"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/mldsa"

	"pki.internal/hsm"
	"pki.internal/plan/tbs/public"
	"pki.internal/spec"
)

// lattice is one case of NIST's ACVP vectors for key generation of ML-DSA,
// which circl's module ships.
type lattice struct {
	set      string
	arc      int
	seed     []byte
	public   []byte
	expanded []byte
}

// vectors reads the ACVP vectors ML-DSA-keyGen-FIPS204.
func vectors(t testing.TB) []lattice {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/cloudflare/circl").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	folder := filepath.Join(strings.TrimSpace(string(out)), "sign/mldsa/testdata/ML-DSA-keyGen-FIPS204")
	type group struct {
		ParameterSet string
		Tests        []struct{ Seed, PK, SK string }
	}
	load := func(name string) []group {
		f, err := os.Open(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		var all struct{ TestGroups []group }
		if err := json.NewDecoder(z).Decode(&all); err != nil {
			t.Fatal(err)
		}
		return all.TestGroups
	}
	raw := func(s string) []byte {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	var all []lattice
	results := load("expectedResults.json.gz")
	for i, g := range load("prompt.json.gz") {
		for j, c := range g.Tests {
			r := results[i].Tests[j]
			all = append(all, lattice{g.ParameterSet, 17 + i, raw(c.Seed), raw(r.PK), raw(r.SK)})
		}
	}
	if len(all) != 75 {
		t.Fatalf("%d vectors, want 75", len(all))
	}
	return all
}

// info wraps a private key as PKCS#8 does.
func (l lattice) info(t testing.TB, key any, params string) []byte {
	t.Helper()
	inner, err := asn1.MarshalWithParams(key, params)
	if err != nil {
		t.Fatal(err)
	}
	der, err := asn1.Marshal(struct {
		Version   int
		Algorithm pkix.AlgorithmIdentifier
		Key       []byte
	}{0, pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, l.arc}}, inner})
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func (l lattice) seedForm(t testing.TB) []byte     { return l.info(t, l.seed, "tag:0") }
func (l lattice) expandedForm(t testing.TB) []byte { return l.info(t, l.expanded, "") }
func (l lattice) bothForm(t testing.TB) []byte {
	return l.info(t, struct{ Seed, Expanded []byte }{l.seed, l.expanded}, "")
}

// TestKeyGenerationVectors reads every vector in the three forms of RFC 9881
// §6, and signs with each.
func TestKeyGenerationVectors(t *testing.T) {
	for i, l := range vectors(t) {
		for form, der := range map[string][]byte{"seed": l.seedForm(t), "expanded": l.expandedForm(t), "both": l.bothForm(t)} {
			key, err := parsePKCS8(der)
			if err != nil {
				t.Fatalf("%s, vector %d, %s: %v", l.set, i, form, err)
			}
			if have := key.Public().(*mldsa.PublicKey); !bytes.Equal(have.Bytes(), l.public) || have.Parameters().String() != l.set {
				t.Errorf("%s, vector %d, %s: another public key", l.set, i, form)
			}
			if form == "expanded" {
				continue // no seed to write
			}
			if again, err := marshalPKCS8(key); err != nil || !bytes.Equal(again, l.seedForm(t)) {
				t.Errorf("%s, vector %d, %s: it is not written as its seed (%v)", l.set, i, form, err)
			}
		}
	}
}

func TestEveryFormSigns(t *testing.T) {
	all := vectors(t)
	for _, l := range []lattice{all[0], all[25], all[50]} {
		for form, der := range map[string][]byte{"seed": l.seedForm(t), "expanded": l.expandedForm(t), "both": l.bothForm(t)} {
			key, _, err := Load(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil)
			if err != nil {
				t.Fatalf("%s, %s: %v", l.set, form, err)
			}
			message := []byte("message")
			signature, err := key.Sign(t.Context(), message, crypto.Hash(0))
			if err != nil || !public.VerifyDigest(key.Public(), crypto.Hash(0), message, signature) {
				t.Errorf("%s, %s: no good signature (%v)", l.set, form, err)
			}
			if _, err := key.Sign(t.Context(), message, crypto.SHA256); err == nil {
				t.Errorf("%s, %s: signs a digest", l.set, form)
			}
		}
	}
}

// TestKeyThatContradictsItself damages each part of a key in turn.
func TestKeyThatContradictsItself(t *testing.T) {
	l, other := vectors(t)[0], vectors(t)[1]
	flipped := func(at int) []byte {
		b := bytes.Clone(l.expanded)
		b[at] ^= 1
		return b
	}
	foreign, damaged, named := l, l, l
	foreign.expanded = other.expanded
	damaged.expanded = flipped(len(l.expanded) - 1) // in t0
	named.expanded = flipped(70)                    // in the digest of the public key
	for name, der := range map[string][]byte{
		"another key's expanded form": foreign.bothForm(t), "t0": damaged.bothForm(t), "digest": named.bothForm(t), "digest, alone": named.expandedForm(t),
	} {
		var opened *unusable
		if _, err := parsePKCS8(der); !errors.As(err, &opened) || !strings.Contains(err.Error(), "backup") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, public := range map[string][]byte{"own": l.public, "another's": other.public} {
		der, err := asn1.Marshal(struct {
			Version   int
			Algorithm pkix.AlgorithmIdentifier
			Key       []byte
			Public    asn1.BitString `asn1:"tag:1"`
		}{1, pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, l.arc}}, append([]byte{0x80, 32}, l.seed...),
			asn1.BitString{Bytes: public, BitLength: 8 * len(public)}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parsePKCS8(der); (err == nil) != (name == "own") {
			t.Errorf("with %s public key beside it: %v", name, err)
		}
	}
	// Under the right password it is not called a wrong one.
	locked, err := lock(foreign.bothForm(t), []byte(testPassword), make([]byte, saltSize), make([]byte, 16))
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: locked})
	if _, err := Decrypt(text, []byte(testPassword)); err == nil || errors.Is(err, hsm.ErrWrongPIN) {
		t.Errorf("Decrypt = %v, want the contradiction", err)
	}
	if _, err := Decrypt(text, []byte("another")); !errors.Is(err, hsm.ErrWrongPIN) {
		t.Errorf("Decrypt = %v, want ErrWrongPIN", err)
	}
}

// TestMalformedKeysOfMLDSA are refused for what they are.
func TestMalformedKeysOfMLDSA(t *testing.T) {
	l := vectors(t)[0]
	cut, long, set := l, l, l
	cut.seed, cut.expanded = l.seed[:31], l.expanded[:100]
	long.seed = append(bytes.Clone(l.seed), 0)
	set.arc = 18
	parameters := bytes.Replace(l.seedForm(t), []byte{0x30, 0x0b, 0x06, 0x09}, []byte{0x30, 0x0d, 0x06, 0x09}, 1)
	at := bytes.Index(parameters, []byte{3, 4, 3, 17}) + 4
	parameters = append(append(bytes.Clone(parameters[:at]), 5, 0), parameters[at:]...)
	parameters[1] += 2
	for name, der := range map[string][]byte{
		"short seed": cut.seedForm(t), "long seed": long.seedForm(t), "short expanded key": cut.expandedForm(t),
		"expanded key of another set": set.expandedForm(t), "both of another set": set.bothForm(t), "short both": cut.bothForm(t),
		"NULL parameters": parameters, "an integer": l.info(t, 5, ""), "nothing": l.info(t, asn1.RawValue{FullBytes: []byte{}}, ""),
	} {
		var opened *unusable
		if key, err := parsePKCS8(der); !errors.As(err, &opened) {
			t.Errorf("%s: %v, %v", name, key, err)
		}
	}
}

// TestStoreKeepsTheSeed shows what stands in a key store's file.
func TestStoreKeepsTheSeed(t *testing.T) {
	s, folder := newStore(t)
	if _, _, err := s.Generate(t.Context(), keySpec(spec.MLDSA65)); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(folder, "keys/root.key"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	plain, err := unlock(block.Bytes, []byte(testPassword))
	if err != nil {
		t.Fatal(err)
	}
	// RFC 9881 §6: SEQUENCE, version 0, algorithm, and an OCTET STRING around
	// [0] IMPLICIT OCTET STRING of 32 octets.
	if want := "303402010030 0b0609608648016503040312 0422 8020"; !strings.HasPrefix(hex.EncodeToString(plain), strings.ReplaceAll(want, " ", "")) || len(plain) != 54 {
		t.Errorf("the file holds %x", plain[:len(plain)-32])
	}
}

func FuzzParsePKCS8(f *testing.F) {
	l := vectors(f)[0]
	f.Add(l.seedForm(f))
	f.Add(l.bothForm(f))
	f.Add(l.expandedForm(f))
	f.Fuzz(func(t *testing.T, der []byte) {
		key, err := parsePKCS8(der)
		if err != nil {
			return
		}
		if _, err := public.Marshal(key.Public()); err != nil {
			t.Errorf("a key whose public half cannot be written: %v", err)
		}
	})
}
