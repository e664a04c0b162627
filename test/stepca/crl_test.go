package stepca_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// crl fetches step-ca's CRL from the URL that the leaves carry, and holds its
// signature and its issuing distribution point against the issuer and the HCL.
func (b *bench) crl(t *testing.T) *x509.RevocationList {
	t.Helper()
	list, err := x509.ParseRevocationList(b.get(t, b.ports.crlURL()))
	if err != nil {
		t.Fatal(err)
	}
	issuer := readLeaf(t, b.chain, "")
	if err := list.CheckSignatureFrom(issuer.Certificate); err != nil {
		t.Fatal(err)
	}
	if list.Number == nil || !list.NextUpdate.After(list.ThisUpdate) {
		t.Fatalf("the CRL has the number %v and the dates %v and %v", list.Number, list.ThisUpdate, list.NextUpdate)
	}
	const issuingDistributionPoint = "2.5.29.28"
	found := false
	for _, extension := range list.Extensions {
		if extension.Id.String() == issuingDistributionPoint {
			found = extension.Critical && bytes.Contains(extension.Value, []byte(b.ports.crlURL()))
		}
	}
	if !found {
		t.Fatal("the CRL's issuing distribution point is not the HCL's URL")
	}
	return list
}

// save writes a CRL as openssl wants it.
func save(t *testing.T, list *x509.RevocationList) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "issuing.crl.pem")
	if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: list.Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// expect asks openssl about a certificate below the root, with the chain, and
// holds its verdict against what it should say.
func (b *bench) expect(t *testing.T, what, certificate, says string, flags ...string) {
	t.Helper()
	arguments := append([]string{"verify", "-x509_strict", "-CAfile", b.rootPEM, "-untrusted", b.chain}, flags...)
	out, err := b.run(b.tools["openssl"], append(arguments, certificate)...)
	if !strings.Contains(out, says) || (err == nil) != (says == ": OK") {
		t.Errorf("%s: want %q, and openssl says %v\n%s", what, says, err, out)
	}
}

// TestRevocation revokes one of two leaves. The CRL must tell them apart.
func TestRevocation(t *testing.T) {
	b := start(t)
	good, bad := b.jwkLeaf(t), b.jwkLeaf(t)
	before := b.crl(t)
	t.Logf("step-ca's CRL had the number %v before", before.Number)
	b.must(t, "step", b.online("ca", "revoke", "--cert", bad.crt, "--key", bad.key, "--reasonCode", "keyCompromise")...)
	after := b.crl(t)
	if after.Number.Cmp(before.Number) <= 0 {
		t.Errorf("the CRL's number was %v and is %v: it must grow", before.Number, after.Number)
	}
	var found *x509.RevocationListEntry
	for i, entry := range after.RevokedCertificateEntries {
		if entry.SerialNumber.Cmp(bad.SerialNumber) == 0 {
			found = &after.RevokedCertificateEntries[i]
		}
		if entry.SerialNumber.Cmp(good.SerialNumber) == 0 {
			t.Error("the CRL lists the leaf that nobody revoked")
		}
	}
	if found == nil || found.ReasonCode != 1 { // keyCompromise
		t.Fatalf("the CRL says of the revoked leaf: %+v", found)
	}

	old, now := save(t, before), save(t, after)
	for _, c := range []struct {
		what, crt, crl, says string
	}{
		{"the good leaf", good.crt, now, ": OK"},
		{"the revoked leaf", bad.crt, now, "certificate revoked"},
		{"the revoked leaf before its revocation", bad.crt, old, ": OK"},
	} {
		b.expect(t, c.what, c.crt, c.says, "-crl_check", "-CRLfile", c.crl)
	}
	if out, err := b.run(b.tools["step"], b.online("ca", "renew", bad.crt, bad.key, "--force")...); err == nil {
		t.Errorf("step-ca renewed the revoked leaf:\n%s", out)
	}
}

// TestCeremonyCRLs has openssl check certificates with the CRLs that the
// ceremony signed, and with step-ca's in the place of the issuing one.
func TestCeremonyCRLs(t *testing.T) {
	b := start(t)
	root, issuing, online := b.published("crls/root.crl.pem"), b.published("crls/issuing.crl.pem"), save(t, b.crl(t))
	intermediate, l := b.published("certs/issuing.crt"), b.jwkLeaf(t).crt
	const missing = "unable to get certificate CRL"
	for _, c := range []struct {
		what, crt string
		flags     []string
		says      string
	}{
		{"the intermediate", intermediate, []string{"-crl_check", "-CRLfile", root}, ": OK"},
		{"the intermediate without a CRL", intermediate, []string{"-crl_check"}, missing},
		{"the intermediate by its own CRL", intermediate, []string{"-crl_check", "-CRLfile", issuing}, missing},
		{"a leaf by the ceremony's CRL", l, []string{"-crl_check", "-CRLfile", issuing}, ": OK"},
		{"a leaf by step-ca's CRL", l, []string{"-crl_check", "-CRLfile", online}, ": OK"},
	} {
		b.expect(t, c.what, c.crt, c.says, c.flags...)
	}
}

// TestWholeChainByCRLs is what nginx, HAProxy and PostgreSQL do with a file of
// CRLs: every certificate is looked up, the root with them.
func TestWholeChainByCRLs(t *testing.T) {
	b := start(t)
	root := b.published("crls/root.crl.pem")
	if bytes.Contains(readCRL(t, root).Raw, []byte(fmt.Sprintf("127.0.0.1:%d/root.crl", b.ports.CRL))) {
		t.Skip("the root's CRL names a distribution point. The root's certificate has none, so openssl -crl_check_all " +
			"finds the CRL to be of different scope at depth 2 and refuses every chain. This test counts when plan leaves it out")
	}
	intermediate, l := b.published("certs/issuing.crt"), b.jwkLeaf(t).crt
	for _, c := range []struct {
		what, crt string
		issuing   string
	}{
		{"the intermediate", intermediate, ""},
		{"a leaf by the ceremony's CRL", l, b.published("crls/issuing.crl.pem")},
		{"a leaf by step-ca's CRL", l, save(t, b.crl(t))},
	} {
		flags := []string{"-crl_check_all", "-CRLfile", root}
		if c.issuing != "" {
			b.expect(t, c.what+", which is not there", c.crt, "unable to get certificate CRL", flags...)
			flags = append(flags, "-CRLfile", c.issuing)
		}
		b.expect(t, c.what, c.crt, ": OK", flags...)
	}
}

// published is a file of the estate's folder.
func (b *bench) published(name string) string {
	return filepath.Join(b.estate, filepath.FromSlash(name))
}

func readCRL(t *testing.T, name string) *x509.RevocationList {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		t.Fatalf("%s holds no CRL", name)
	}
	list, err := x509.ParseRevocationList(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return list
}
