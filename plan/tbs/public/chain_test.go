package public

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"strings"
	"testing"
	"time"
)

// example is the certificate of RFC 9881, appendix C.3, for ML-DSA-44.
func example(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/rfc9881-ml-dsa-44.crt")
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		t.Fatal("the example holds no PEM")
	}
	return block.Bytes
}

// TestWalkAsksForDates walks the chain here, whichever Go this is.
func TestWalkAsksForDates(t *testing.T) {
	c, err := x509.ParseCertificate(example(t))
	if err != nil {
		t.Fatal(err)
	}
	for at, word := range map[time.Time]string{c.NotBefore.Add(-time.Second): "begins only", c.NotAfter.Add(time.Second): "ended on"} {
		if err := walk([]*x509.Certificate{c}, at); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("walk at %s = %v, want %q", at, err, word)
		}
	}
	foreign := *c
	foreign.RawSubject = []byte("foreign")
	if err := walk([]*x509.Certificate{c, &foreign}, c.NotBefore); err == nil || !strings.Contains(err.Error(), "byte for byte") {
		t.Errorf("walk = %v, want the name", err)
	}
	critical := *c
	critical.UnhandledCriticalExtensions = append(critical.UnhandledCriticalExtensions, []int{1, 2, 3})
	if err := walk([]*x509.Certificate{&critical}, c.NotBefore); err == nil || !strings.Contains(err.Error(), "critical extension 1.2.3") {
		t.Errorf("walk = %v, want the extension", err)
	}
}

// TestRightsAreAsked shows that a signature alone does not make an issuer.
func TestRightsAreAsked(t *testing.T) {
	c, err := x509.ParseCertificate(example(t))
	if err != nil {
		t.Fatal(err)
	}
	leaf, crlOnly := *c, *c
	leaf.IsCA = false
	crlOnly.KeyUsage = x509.KeyUsageCRLSign
	for name, issuer := range map[string]*x509.Certificate{"no authority": &leaf, "key usage": &crlOnly} {
		if err := CheckIssued(c, issuer); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("CheckIssued = %v, want %q", err, name)
		}
		if err := walk([]*x509.Certificate{c, issuer}, c.NotBefore); err == nil {
			t.Errorf("%s: the chain is accepted", name)
		}
	}
}

func TestPathLength(t *testing.T) {
	c, err := x509.ParseCertificate(example(t))
	if err != nil {
		t.Fatal(err)
	}
	// Self-issued certificates do not count, so the names are told apart.
	top, middle, bottom := *c, *c, *c
	top.MaxPathLenZero, top.MaxPathLen = true, 0
	middle.RawSubject, bottom.RawIssuer = []byte("middle"), []byte("middle")
	bottom.RawSubject = []byte("bottom")
	err = walk([]*x509.Certificate{&bottom, &middle, &top}, c.NotBefore)
	if err == nil || !strings.Contains(err.Error(), "allows 0 authorities") {
		t.Errorf("walk = %v, want the path length", err)
	}
	top.MaxPathLenZero, top.MaxPathLen = false, 1
	if err := walk([]*x509.Certificate{&bottom, &middle, &top}, c.NotBefore); err != nil {
		t.Errorf("walk = %v", err)
	}
}
