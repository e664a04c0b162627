package tbs

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"net"
	"testing"

	"pgregory.net/rapid"

	"pki.internal/spec"
)

// TestSameBytesAsGo holds crypto/x509 as a second writer: what both can
// express is the same to the byte. Go gives every URL a distribution point of
// its own, so only one URL can be compared.
func TestSameBytesAsGo(t *testing.T) {
	all := wishes(t)
	rapid.Check(t, func(r *rapid.T) {
		w := all.Draw(r, "wish")
		w.cdp = w.cdp[:min(1, len(w.cdp))]
		ours := w.build(t)
		der, err := x509.CreateCertificate(rand.Reader, w.goTemplate(t), w.goIssuer(t), w.key.private.Public(), w.issuerKey.private)
		if err != nil {
			r.Fatal(err)
		}
		theirs, err := x509.ParseCertificate(der)
		if err != nil {
			r.Fatal(err)
		}
		if !bytes.Equal(ours, theirs.RawTBSCertificate) {
			r.Fatalf("ours   %x\ntheirs %x", ours, theirs.RawTBSCertificate)
		}
	})
}

// goTemplate says a wish in Go's words. SubjectKeyId is left to Go.
func (w wish) goTemplate(t testing.TB) *x509.Certificate {
	t.Helper()
	c := &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(w.serial), SignatureAlgorithm: goSignature(w.issuerKey.algorithm),
		RawSubject: must[[]byte](t)(EncodeName(w.subject)), NotBefore: w.from, NotAfter: w.to,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, ExtKeyUsage: goUsages(w.usages),
		BasicConstraintsValid: true, IsCA: true, MaxPathLen: w.pathLen, MaxPathLenZero: w.pathLen == 0,
		IssuingCertificateURL: w.aia, CRLDistributionPoints: w.cdp,
		AuthorityKeyId: w.issuerKey.id, // for the case that both names are the same
	}
	if n := w.constraints; n != nil {
		c.PermittedDNSDomainsCritical = n.Critical
		c.PermittedDNSDomains, c.ExcludedDNSDomains = n.PermittedDNS, n.ExcludedDNS
		c.PermittedIPRanges, c.ExcludedIPRanges = goNetworks(t, n.PermittedIP), goNetworks(t, n.ExcludedIP)
		c.PermittedEmailAddresses, c.ExcludedEmailAddresses = n.PermittedEmail, n.ExcludedEmail
		c.PermittedURIDomains, c.ExcludedURIDomains = n.PermittedURI, n.ExcludedURI
	}
	return c
}

func (w wish) goIssuer(t testing.TB) *x509.Certificate {
	t.Helper()
	return &x509.Certificate{
		RawSubject: must[[]byte](t)(EncodeName(w.issuer)), SubjectKeyId: w.issuerKey.id,
		PublicKey: w.issuerKey.private.Public(), KeyUsage: x509.KeyUsageCRLSign,
	}
}

func goNetworks(t testing.TB, texts []string) []*net.IPNet {
	t.Helper()
	var all []*net.IPNet
	for _, text := range texts {
		_, n, err := net.ParseCIDR(text)
		if err != nil {
			t.Fatal(err)
		}
		if len(n.IP) == net.IPv4len && bytes.Contains([]byte(text), []byte(":")) { // ::ffff:0:0/96 and below
			ones, _ := n.Mask.Size()
			n = &net.IPNet{IP: n.IP.To16(), Mask: net.CIDRMask(ones+96, 128)}
		}
		all = append(all, n)
	}
	return all
}

// TestCRLSameBytesAsGo does for lists what TestSameBytesAsGo does for
// certificates.
func TestCRLSameBytesAsGo(t *testing.T) {
	all := lists(t)
	rapid.Check(t, func(r *rapid.T) {
		l := all.Draw(r, "list")
		ours := must[[]byte](t)(l.template(t).Build(Keys{IssuerID: l.key.id}))
		template := &x509.RevocationList{
			SignatureAlgorithm: goSignature(l.key.algorithm), Number: l.number,
			ThisUpdate: l.from, NextUpdate: l.to,
		}
		for _, e := range l.entries {
			serial, _ := new(big.Int).SetString(e.Serial, 16)
			template.RevokedCertificateEntries = append(template.RevokedCertificateEntries, x509.RevocationListEntry{
				SerialNumber: serial, RevocationTime: e.Date, ReasonCode: e.Reason,
			})
		}
		if len(l.urls) > 0 {
			idp := must[Extension](t)(IssuingDistributionPoint(l.urls, l.onlyCAs))
			template.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 28}, Critical: true, Value: idp.Value}}
		}
		w := wish{issuer: l.issuer, issuerKey: l.key}
		der, err := x509.CreateRevocationList(rand.Reader, template, w.goIssuer(t), l.key.private)
		if err != nil {
			r.Fatal(err)
		}
		theirs, err := x509.ParseRevocationList(der)
		if err != nil {
			r.Fatal(err)
		}
		if !bytes.Equal(ours, theirs.RawTBSRevocationList) {
			r.Fatalf("ours   %x\ntheirs %x", ours, theirs.RawTBSRevocationList)
		}
	})
}

// TestKeyIDIsGos compares with what Go computes when it is left to it: since
// Go 1.25, RFC 7093 §2 method 1.
func TestKeyIDIsGos(t *testing.T) {
	for _, a := range knownToGo() {
		k := keyOf(t, a, 3)
		template := &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true}
		der, err := x509.CreateCertificate(rand.Reader, template, template, k.private.Public(), k.private)
		if err != nil {
			t.Fatal(err)
		}
		c, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		if len(k.id) != 20 || !bytes.Equal(c.SubjectKeyId, k.id) {
			t.Errorf("%s: KeyID = %x, Go has %x", a, k.id, c.SubjectKeyId)
		}
	}
}

func TestKeyIDRefuses(t *testing.T) {
	spki := keyOf(t, spec.Ed25519, 0).spki
	for name, der := range map[string][]byte{"nothing": nil, "cut": spki[:len(spki)-1], "bytes behind": append(bytes.Clone(spki), 0), "another type": {2, 1, 1}} {
		if id, err := KeyID(der); err == nil {
			t.Errorf("%s: KeyID = %x", name, id)
		}
	}
}
