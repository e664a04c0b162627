package tbs

import (
	"bytes"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"pki.internal/spec"
)

// TestOpenSSLAccepts lets a third implementation judge a chain of each
// algorithm: root, issuing authority and the root's CRL.
func TestOpenSSLAccepts(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("openssl is not installed, so no third implementation judges our bytes")
	}
	for _, a := range spec.Algorithms() {
		t.Run(string(a), func(t *testing.T) {
			t.Parallel()
			if a.PostQuantum() && !opensslKnows(t, "ML-DSA-65") {
				t.Skip("this openssl is older than 3.5 and knows no ML-DSA; package interop asks others")
			}
			s := newChain(t, a)
			s.run("asn1parse", "-in", "issuing.pem")
			text := s.run("x509", "-in", "issuing.pem", "-noout", "-text")
			s.contains(text, "CN = Issuing", "CA:TRUE, pathlen:1", "Certificate Sign, CRL Sign", "TLS Web Server Authentication",
				"URI:http://pki.example/root.crl", "CA Issuers - URI:http://pki.example/root.cer", "DNS:example", "Not After : Dec 31 23:59:59 2030 GMT")
			text = s.run("crl", "-in", "root.crl", "-noout", "-text", "-CAfile", "root.pem")
			s.contains(text, "Only CA Certificates", "URI:http://pki.example/root.crl", "Superseded")
			at := strconv.FormatInt(plain(t).from.Add(time.Hour).Unix(), 10)
			verify := []string{"verify", "-x509_strict", "-attime", at, "-CAfile", "root.pem", "-crl_check", "-CRLfile", "root.crl", "issuing.pem"}
			s.contains(s.run(verify...), "issuing.pem: OK")
		})
	}
}

func opensslKnows(t *testing.T, algorithm string) bool {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "openssl", "list", "-signature-algorithms").CombinedOutput()
	return err == nil && strings.Contains(strings.ToUpper(string(out)), algorithm)
}

// TestOpenSSLSeesRevocation shows that the chain above passes because the
// list was read, and not because it was passed over.
func TestOpenSSLSeesRevocation(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("openssl is not installed, so no third implementation judges our bytes")
	}
	s := newChain(t, spec.ECDSAP256)
	l := s.list
	l.entries = []Entry{{Serial: "4d01", Date: l.from, Reason: 1}}
	s.put("root.crl", "X509 CRL", must[[]byte](t)(l.template(t).Build(Keys{IssuerID: l.key.id})), l.key)
	at := strconv.FormatInt(plain(t).from.Add(time.Hour).Unix(), 10)
	c := exec.CommandContext(t.Context(), "openssl", "verify", "-attime", at, "-CAfile", "root.pem", "-crl_check", "-CRLfile", "root.crl", "issuing.pem")
	c.Dir = s.dir
	if out, err := c.CombinedOutput(); err == nil || !bytes.Contains(out, []byte("certificate revoked")) {
		t.Errorf("openssl verify = %v: %s", err, out)
	}
}

// chain is a folder of PEM files.
type chain struct {
	*testing.T
	dir  string
	list list
}

func newChain(t *testing.T, a spec.Algorithm) chain {
	t.Helper()
	root := plain(t)
	root.key, root.issuerKey, root.subject = keyOf(t, a, 1), keyOf(t, a, 1), root.issuer
	root.pathLen, root.usages, root.aia, root.cdp, root.constraints = 2, nil, nil, nil, nil
	issuing := plain(t)
	issuing.key, issuing.issuerKey = keyOf(t, a, 0), root.key
	l := plainList(t)
	l.key = root.key
	s := chain{t, t.TempDir(), l}
	s.put("root.pem", "CERTIFICATE", root.build(t), root.key)
	s.put("issuing.pem", "CERTIFICATE", issuing.build(t), root.key)
	s.put("root.crl", "X509 CRL", must[[]byte](t)(l.template(t).Build(Keys{IssuerID: l.key.id})), l.key)
	return s
}

func (s chain) put(name, kind string, built []byte, k testKey) {
	s.Helper()
	text := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: k.seal(s, built)})
	if err := os.WriteFile(filepath.Join(s.dir, name), text, 0o600); err != nil {
		s.Fatal(err)
	}
}

func (s chain) run(args ...string) string {
	s.Helper()
	c := exec.CommandContext(s.Context(), "openssl", args...)
	c.Dir = s.dir
	out, err := c.CombinedOutput()
	if err != nil {
		s.Fatalf("openssl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func (s chain) contains(text string, words ...string) {
	s.Helper()
	for _, w := range words {
		if !strings.Contains(text, w) {
			s.Errorf("openssl does not say %q:\n%s", w, text)
		}
	}
}
