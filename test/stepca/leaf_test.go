package stepca_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// leaf is a certificate that step-ca issued, and its key, as files.
type leaf struct {
	crt, key string
	*x509.Certificate
}

// readLeaf reads the first certificate of a file.
func readLeaf(t *testing.T, crt, key string) leaf {
	t.Helper()
	text, err := os.ReadFile(crt)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		t.Fatalf("%s holds no certificate", crt)
	}
	parsed, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return leaf{crt, key, parsed}
}

// online gives the flags that every command of step needs here.
func (b *bench) online(arguments ...string) []string {
	return append(arguments, "--ca-url", b.ports.caURL(), "--root", b.rootPEM)
}

// jwkLeaf asks the JWK provisioner for a leaf, with the password that the
// estate's secret names.
func (b *bench) jwkLeaf(t *testing.T, flags ...string) leaf {
	t.Helper()
	folder := t.TempDir()
	crt, key := filepath.Join(folder, "leaf.crt"), filepath.Join(folder, "leaf.key")
	b.must(t, "step", b.online(append([]string{"ca", "certificate", "leaf.example.internal", crt, key, "--provisioner", "admin",
		"--provisioner-password-file", filepath.Join(b.estate, "secrets", "admin.txt")}, flags...)...)...)
	return readLeaf(t, crt, key)
}

// check holds a leaf against what every leaf must have.
func (b *bench) check(t *testing.T, l leaf, name string) {
	t.Helper()
	out := b.must(t, "openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", name,
		"-CAfile", b.rootPEM, "-untrusted", b.chain, l.crt)
	if !strings.HasSuffix(strings.TrimSpace(out), ": OK") {
		t.Errorf("openssl says %q", out)
	}
	if want := []string{b.ports.crlURL()}; !slices.Equal(l.CRLDistributionPoints, want) {
		t.Errorf("the leaf's CRL distribution points are %q, and the HCL says %q", l.CRLDistributionPoints, want)
	}
	issuer := fmt.Sprintf("http://127.0.0.1:%d/issuing.cer", b.ports.CRL)
	if !slices.Equal(l.IssuingCertificateURL, []string{issuer}) {
		t.Errorf("the leaf's issuer URLs are %q, and the HCL says %q", l.IssuingCertificateURL, issuer)
	}
	if !slices.Equal(l.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}) {
		t.Errorf("the leaf's extended key usage is %v", l.ExtKeyUsage)
	}
}

// TestBootstrap uses config/defaults.json as a client would: the root that the
// CA serves must have the fingerprint that it names.
func TestBootstrap(t *testing.T) {
	b := start(t)
	text, err := os.ReadFile(filepath.Join(b.ca.home, "config", "defaults.json"))
	if err != nil {
		t.Fatal(err)
	}
	var defaults map[string]string
	if err := json.Unmarshal(text, &defaults); err != nil {
		t.Fatal(err)
	}
	b.must(t, "step", "ca", "bootstrap", "--force", "--ca-url", defaults["ca-url"], "--fingerprint", defaults["fingerprint"])
	fetched, err := os.ReadFile(filepath.Join(b.folder, "client", "certs", "root_ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(fetched)
	if block == nil {
		t.Fatal("the client was given no certificate")
	}
	if sum := sha256.Sum256(block.Bytes); hex.EncodeToString(sum[:]) != defaults["fingerprint"] {
		t.Errorf("the client has a root of fingerprint %x", sum)
	}
}

// TestServedChain compares what a deployment should compare after a reload.
func TestServedChain(t *testing.T) {
	b := start(t)
	chain, err := os.ReadFile(b.chain)
	if err != nil {
		t.Fatal(err)
	}
	if served := b.get(t, b.ports.caURL()+"/intermediates.pem"); !bytes.Equal(served, chain) {
		t.Errorf("step-ca serves the chain\n%s\nand the tree has\n%s", served, chain)
	}
}

func TestJWKLeaf(t *testing.T) {
	b := start(t)
	l := b.jwkLeaf(t)
	b.check(t, l, "leaf.example.internal")
	// The template of this provisioner, with free text in its data.
	if want := []string{`Example "Ops" </Org>`}; !slices.Equal(l.Subject.Organization, want) {
		t.Errorf("the organization is %q, and the template's data says %q", l.Subject.Organization, want)
	}
	if hours := l.NotAfter.Sub(l.NotBefore).Hours(); hours < 12 || hours > 12.1 {
		t.Errorf("the leaf counts for %.2f hours, and the claims say 12", hours)
	}
}

// TestClaims asks for more than the provisioner's claims allow.
func TestClaims(t *testing.T) {
	b := start(t)
	b.check(t, b.jwkLeaf(t, "--not-after", "47h"), "leaf.example.internal")
	crt := filepath.Join(t.TempDir(), "leaf.crt")
	out, err := b.run(b.tools["step"], b.online("ca", "certificate", "leaf.example.internal", crt, crt+".key", "--not-after", "49h",
		"--provisioner", "admin", "--provisioner-password-file", filepath.Join(b.estate, "secrets", "admin.txt"))...)
	if err == nil || !strings.Contains(out, "more than the authorized maximum") {
		t.Errorf("a leaf for 49 hours, where 48 is the most: %v\n%s", err, out)
	}
}

func TestRenewal(t *testing.T) {
	b := start(t)
	first := b.jwkLeaf(t)
	b.must(t, "step", b.online("ca", "renew", first.crt, first.key, "--force")...)
	second := readLeaf(t, first.crt, first.key)
	b.check(t, second, "leaf.example.internal")
	if first.SerialNumber.Cmp(second.SerialNumber) == 0 || !bytes.Equal(first.RawSubjectPublicKeyInfo, second.RawSubjectPublicKeyInfo) {
		t.Errorf("serial %x became %x; the key must stay and the serial must not", first.SerialNumber, second.SerialNumber)
	}
}

// TestACMEHTTP01 has the real step client answer an http-01 challenge.
func TestACMEHTTP01(t *testing.T) {
	b := start(t)
	folder := t.TempDir()
	crt, key := filepath.Join(folder, "leaf.crt"), filepath.Join(folder, "leaf.key")
	b.must(t, "step", b.online("ca", "certificate", "localhost", crt, key, "--provisioner", "web",
		"--standalone", "--http-listen", fmt.Sprintf("127.0.0.1:%d", b.ports.ACMEHTTP))...)
	l := readLeaf(t, crt, key)
	b.check(t, l, "localhost")
	if l.KeyUsage != x509.KeyUsageDigitalSignature {
		t.Errorf("the key usage of an ECDSA leaf is %b", l.KeyUsage)
	}
}

// TestACMETLSALPN01 answers a tls-alpn-01 challenge, which step cannot, for an
// ECDSA and an RSA key: the built-in template gives them other key usages.
func TestACMETLSALPN01(t *testing.T) {
	b := start(t)
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	request := &x509.CertificateRequest{Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"}}
	for _, c := range []struct {
		name  string
		key   any
		usage x509.KeyUsage
	}{
		{"ecdsa", ecKey, x509.KeyUsageDigitalSignature},
		{"rsa", rsaKey, x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment},
	} {
		t.Run(c.name, func(t *testing.T) {
			csr, err := x509.CreateCertificateRequest(rand.Reader, request, c.key)
			if err != nil {
				t.Fatal(err)
			}
			crt := filepath.Join(t.TempDir(), "leaf.crt")
			if err := os.WriteFile(crt, b.orderTLSALPN(t, csr), 0o600); err != nil {
				t.Fatal(err)
			}
			l := readLeaf(t, crt, "")
			b.check(t, l, "localhost")
			if l.KeyUsage != c.usage {
				t.Errorf("the key usage is %b, want %b", l.KeyUsage, c.usage)
			}
		})
	}
}
