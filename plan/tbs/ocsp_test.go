package tbs

import (
	"crypto/x509"
	"strings"
	"testing"
	"time"

	"pki.internal/spec"
)

// TestOCSP takes an answer apart again, for every algorithm.
func TestOCSP(t *testing.T) {
	at := time.Date(2027, 1, 4, 9, 0, 0, 0, time.UTC)
	name := []byte{0x30, 0x00}
	for _, a := range spec.Algorithms() {
		key, err := PreviewKey(a, 0)
		if err != nil {
			t.Fatal(err)
		}
		spki, err := x509.MarshalPKIXPublicKey(key.Public())
		if err != nil {
			continue // Go cannot encode it; its own tests do
		}
		o := OCSP{Signature: a, Issuer: name, Serial: "0abc", ThisUpdate: at, NextUpdate: at.AddDate(0, 3, 0)}
		for _, revoked := range []*Entry{nil, {Date: at}, {Date: at, Reason: 2}} {
			o.Revoked = revoked
			data, err := o.Build(spki)
			if err != nil {
				t.Fatal(err)
			}
			signature, err := Sign(key, a, data)
			if err != nil {
				t.Fatal(err)
			}
			basic, err := Assemble(data, a, signature)
			if err != nil {
				t.Fatal(err)
			}
			der, err := OCSPResponse(basic)
			if err != nil {
				t.Fatal(err)
			}
			back, signed, err := SplitOCSP(der)
			if err != nil || string(back) != string(data) || string(signed) != string(signature) || Verify(a, spki, back, signed) != nil {
				t.Errorf("%s: %v", a, err)
			}
			if _, _, err := SplitOCSP(append(der, 0)); err == nil {
				t.Errorf("%s: bytes follow, and nobody minds", a)
			}
		}
	}
}

func TestOCSPRefuses(t *testing.T) {
	at := time.Date(2027, 1, 4, 9, 0, 0, 0, time.UTC)
	key, err := PreviewKey(spec.ECDSAP256, 0)
	if err != nil {
		t.Fatal(err)
	}
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*OCSP)
		spki   []byte
		want   string
	}{
		"no name":                {func(o *OCSP) { o.Issuer = nil }, spki, ""},
		"no serial":              {func(o *OCSP) { o.Serial = "" }, spki, ""},
		"a hold that is removed": {func(o *OCSP) { o.Revoked = &Entry{Date: at, Reason: 8} }, spki, "not a reason"},
		"no key":                 {func(*OCSP) {}, []byte{1}, "not a public key"},
	} {
		o := OCSP{Signature: spec.ECDSAP256, Issuer: []byte{0x30, 0}, Serial: "01", ThisUpdate: at, NextUpdate: at.AddDate(0, 1, 0)}
		c.change(&o)
		if _, err := o.Build(c.spki); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzSplitOCSP(f *testing.F) {
	der, err := OCSPResponse([]byte{0x30, 0x03, 0x30, 0x00, 0x00})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(der)
	f.Fuzz(func(t *testing.T, der []byte) {
		if data, _, err := SplitOCSP(der); err == nil && len(data) == 0 {
			t.Error("an answer without data")
		}
	})
}
