package public_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"

	"filippo.io/mldsa"

	"pki.internal/plan/tbs/public"
)

// read gives the DER of a file of testdata. The certificate and the public
// keys are the examples of RFC 9881, appendix C, whose private keys all have
// the seed 00 01 … 1f.
func read(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		t.Fatalf("%s holds no PEM", name)
	}
	return block.Bytes
}

func exampleKey(t testing.TB, p mldsa.Parameters) *mldsa.PrivateKey {
	t.Helper()
	seed := make([]byte, mldsa.PrivateKeySize)
	for i := range seed {
		seed[i] = byte(i)
	}
	key, err := mldsa.NewPrivateKey(p, seed)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestExampleKeysOfRFC9881(t *testing.T) {
	for name, p := range map[string]mldsa.Parameters{"44": mldsa.MLDSA44(), "65": mldsa.MLDSA65(), "87": mldsa.MLDSA87()} {
		der := read(t, "rfc9881-ml-dsa-"+name+".pub")
		key, err := public.Parse(der)
		if err != nil {
			t.Fatalf("ML-DSA-%s: %v", name, err)
		}
		if !exampleKey(t, p).PublicKey().Equal(key) {
			t.Errorf("ML-DSA-%s: the seed gives another key", name)
		}
		if again, err := public.Marshal(key); err != nil || !bytes.Equal(again, der) {
			t.Errorf("ML-DSA-%s is written in other bytes than it was read from (%v)", name, err)
		}
		if got := public.Name(key); got != "ML-DSA-"+name {
			t.Errorf("Name = %q", got)
		}
		if !public.PostQuantum(key) {
			t.Errorf("ML-DSA-%s is not called post-quantum", name)
		}
	}
}

func TestExampleCertificateOfRFC9881(t *testing.T) {
	der := read(t, "rfc9881-ml-dsa-44.crt")
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	if err := public.CheckCertificate(c, c); err != nil {
		t.Errorf("the example does not verify under its own key: %v", err)
	}
	key, err := public.Of(c)
	if err != nil || !exampleKey(t, mldsa.MLDSA44()).PublicKey().Equal(key) {
		t.Errorf("Of = %s, %v; want the example key", public.Name(key), err)
	}
	if got := public.SignatureOf(c.SignatureAlgorithm, c.Raw); !strings.HasPrefix(got, "ML-DSA-44") {
		t.Errorf("SignatureOf = %q", got)
	}
	if err := public.CheckChain([]*x509.Certificate{c}, c.NotBefore); err != nil {
		t.Errorf("CheckChain = %v", err)
	}
	for _, at := range []time.Time{c.NotBefore.Add(-time.Second), c.NotAfter.Add(time.Second)} {
		if err := public.CheckChain([]*x509.Certificate{c}, at); err == nil {
			t.Errorf("CheckChain at %s accepts it", at)
		}
	}
}

// TestFlippedBits turns one bit of every part of the example: signed bytes,
// key, signature, its last octets, which encode hints.
func TestFlippedBits(t *testing.T) {
	der := read(t, "rfc9881-ml-dsa-44.crt")
	for i := 3; i < len(der); i += 37 {
		bad := bytes.Clone(der)
		bad[i] ^= 1 << (i % 8)
		c, err := x509.ParseCertificate(bad)
		if err == nil && public.CheckCertificate(c, c) == nil {
			t.Errorf("a flipped bit at octet %d goes unnoticed", i)
		}
	}
	last := bytes.Clone(der)
	last[len(last)-1]++
	if c, err := x509.ParseCertificate(last); err != nil || public.CheckCertificate(c, c) == nil {
		t.Errorf("a wrong hint goes unnoticed (%v)", err)
	}
}

// encoded makes a SubjectPublicKeyInfo of any parts.
func encoded(t testing.TB, arc int, parameters asn1.RawValue, key asn1.BitString, extra ...byte) []byte {
	t.Helper()
	der, err := asn1.Marshal(struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}{pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, arc}, Parameters: parameters}, key})
	if err != nil {
		t.Fatal(err)
	}
	return append(der, extra...)
}

func TestMalformedKeysAreRefused(t *testing.T) {
	raw := exampleKey(t, mldsa.MLDSA65()).PublicKey().Bytes()
	bits := func(b []byte) asn1.BitString { return asn1.BitString{Bytes: b, BitLength: 8 * len(b)} }
	none := asn1.RawValue{}
	if _, err := public.Parse(encoded(t, 18, none, bits(raw))); err != nil {
		t.Fatalf("the sound key: %v", err)
	}
	long := append(bytes.Clone(raw), 0)
	for name, der := range map[string][]byte{
		"NULL parameters":       encoded(t, 18, asn1.NullRawValue, bits(raw)),
		"another parameter set": encoded(t, 17, none, bits(raw)),
		"HashML-DSA":            encoded(t, 33, none, bits(raw)),
		"cut":                   encoded(t, 18, none, bits(raw[:len(raw)-1])),
		"too long":              encoded(t, 18, none, bits(long)),
		"empty":                 encoded(t, 18, none, bits(nil)),
		"unused bits":           encoded(t, 18, none, asn1.BitString{Bytes: raw, BitLength: 8*len(raw) - 3}),
		"unused bits, longer":   encoded(t, 18, none, asn1.BitString{Bytes: long, BitLength: 8*len(long) - 8}),
		"bytes behind":          encoded(t, 18, none, bits(raw), 0),
		"nothing":               nil,
	} {
		if key, err := public.Parse(der); err == nil {
			t.Errorf("%s: read as %s", name, public.Name(key))
		}
	}
}

func TestMalformedSignaturesAreRefused(t *testing.T) {
	key := exampleKey(t, mldsa.MLDSA65())
	message := []byte("message")
	signature, err := key.Sign(nil, message, crypto.Hash(0))
	if err != nil {
		t.Fatal(err)
	}
	if !public.VerifyDigest(key.PublicKey(), crypto.Hash(0), message, signature) {
		t.Fatal("the sound signature is refused")
	}
	context, err := key.Sign(nil, message, &mldsa.Options{Context: "elsewhere"})
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string][]byte{
		"cut": signature[:len(signature)-1], "longer": append(bytes.Clone(signature), 0), "none": nil,
		"zeros": make([]byte, len(signature)), "with a context": context,
	} {
		if public.VerifyDigest(key.PublicKey(), crypto.Hash(0), message, s) {
			t.Errorf("%s: accepted", name)
		}
	}
	if public.VerifyDigest(key.PublicKey(), crypto.SHA256, message, signature) {
		t.Error("accepted as a signature over a digest")
	}
	if public.VerifyDigest(exampleKey(t, mldsa.MLDSA87()).PublicKey(), crypto.Hash(0), message, signature) {
		t.Error("accepted under a key of ML-DSA-87")
	}
}

// TestClassicalAlgorithms holds what is verified here against crypto/x509.
func TestClassicalAlgorithms(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, key := range map[string]crypto.Signer{"ECDSA P-384": ec, "RSA 2048": rsaKey, "Ed25519": ed} {
		template := &x509.Certificate{
			SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<31, 0),
			IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		}
		der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		c, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		if err := public.CheckIssued(c, c); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := public.NameOf(c.RawSubjectPublicKeyInfo); got != name {
			t.Errorf("NameOf = %q, want %q", got, name)
		}
		id, err := outer(c.Raw)
		if err != nil {
			t.Fatal(err)
		}
		scheme, known := public.SchemeOf(id)
		if !known {
			t.Fatalf("%s: scheme %s is not known", name, scheme.Name)
		}
		digest := c.RawTBSCertificate
		if scheme.Hash != 0 {
			h := scheme.Hash.New()
			h.Write(digest)
			digest = h.Sum(nil)
		}
		if err := scheme.Verify(key.Public(), digest, c.Signature); err != nil {
			t.Errorf("%s by its scheme: %v", name, err)
		}
		if err := scheme.Verify(exampleKey(t, mldsa.MLDSA44()).PublicKey(), digest, c.Signature); !errors.Is(err, public.ErrSignature) {
			t.Errorf("%s under a key of ML-DSA: %v", name, err)
		}
	}
}

func outer(der []byte) ([]byte, error) {
	var parts struct{ Signed, Algorithm, Signature asn1.RawValue }
	_, err := asn1.Unmarshal(der, &parts)
	return parts.Algorithm.FullBytes, err
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"44", "65", "87"} {
		f.Add(read(f, "rfc9881-ml-dsa-"+name+".pub"))
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		key, err := public.Parse(der)
		if err != nil || !public.PostQuantum(key) {
			return
		}
		if again, err := public.Marshal(key); err != nil || !bytes.Equal(again, der) {
			t.Errorf("two encodings of one key (%v)", err)
		}
	})
}

func FuzzCheck(f *testing.F) {
	f.Add(read(f, "rfc9881-ml-dsa-44.crt"))
	issuer, err := x509.ParseCertificate(read(f, "rfc9881-ml-dsa-44.crt"))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return
		}
		accepted := public.CheckCertificate(c, issuer) == nil
		if accepted && !bytes.Equal(c.RawTBSCertificate, issuer.RawTBSCertificate) {
			t.Error("other bytes verify under the example's key")
		}
	})
}
