package lint

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// BenchmarkCertificate is one artefact of a ceremony under profile private:
// less than 5 ms is the goal.
func BenchmarkCertificate(b *testing.B) {
	l := mustNew(b, "private")
	s := certificateScene(b, "", nil)
	c := Certificate{DER: s.blocks[0].Bytes, Issuer: s.blocks[1].Bytes, Role: RoleIssuing}
	b.ReportAllocs()
	for b.Loop() {
		l.Certificate(c, testNow)
	}
}

func BenchmarkRSA4096Root(b *testing.B) {
	l := mustNew(b, "private")
	key := testKey(b, "rsa-4096", "root")
	template := rootTemplate(b, key)
	c := Certificate{DER: signCertificate(b, template, template, key, key), Role: RoleRoot}
	b.ReportAllocs()
	for b.Loop() {
		l.Certificate(c, testNow)
	}
}

// BenchmarkFamily is a hundred leaves of one issuing authority with a P-256 key,
// judged together: issuers are found, and every signature is verified.
func BenchmarkFamily(b *testing.B) {
	l := mustNew(b, "private")
	key, leafKey := testKey(b, "ecdsa-p256", "issuing"), testKey(b, "ecdsa-p256", "leaf")
	s := certificateScene(b, "", nil)
	issuing := parse(b, s.blocks[0].Bytes)
	certs := []KnownCertificate{{Owner: "issuing", DER: issuing.Raw}, {Owner: "root", DER: s.blocks[1].Bytes}}
	for i := range 100 {
		leaf := &x509.Certificate{
			SerialNumber: serial(fmt.Sprint("leaf", i)), Subject: name(fmt.Sprintf("host %d", i)), DNSNames: []string{fmt.Sprintf("h%d.acme.internal", i)},
			NotBefore: issuingFrom, NotAfter: issuingFrom.AddDate(0, 0, 90), KeyUsage: x509.KeyUsageDigitalSignature,
			ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		}
		certs = append(certs, KnownCertificate{Owner: leaf.Subject.CommonName, DER: signCertificate(b, leaf, issuing, leafKey, key)})
	}
	b.ReportAllocs()
	for b.Loop() {
		h := NewHierarchy(certs, nil)
		for _, c := range certs {
			l.Certificate(h.Surround(Certificate{DER: c.DER, Preview: true}), testNow)
		}
	}
	b.ReportMetric(float64(b.N*len(certs))/b.Elapsed().Seconds(), "certs/s")
}

// BenchmarkCRL is a list of 10 000 entries after one of the same length.
func BenchmarkCRL(b *testing.B) {
	l := mustNew(b, "private")
	s := listScene(b, "", nil, func(g *listStage) {
		for i := range 10_000 {
			entry := x509.RevocationListEntry{SerialNumber: big.NewInt(int64(i + 1)), RevocationTime: crlFrom.Add(-time.Hour), ReasonCode: 4}
			g.list.RevokedCertificateEntries = append(g.list.RevokedCertificateEntries, entry)
		}
		g.previous.RevokedCertificateEntries = g.list.RevokedCertificateEntries
	})
	c := CRL{DER: s.blocks[0].Bytes, Previous: s.blocks[1].Bytes, Issuer: s.blocks[2].Bytes}
	b.ReportAllocs()
	for b.Loop() {
		l.CRL(c, testNow)
	}
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		mustNew(b, "private")
	}
}

// BenchmarkBulk is a certificate among thousands: searching for its private
// half is left out.
func BenchmarkBulk(b *testing.B) {
	l := mustNew(b, "private")
	s := certificateScene(b, "", nil)
	c := Certificate{DER: s.blocks[0].Bytes, Preview: true}
	b.ReportAllocs()
	for b.Loop() {
		l.Certificate(c, testNow)
	}
}

// BenchmarkFixtures is every certificate among zlint's fixtures, all judged
// together: 4,000 a second and processor is the goal.
func BenchmarkFixtures(b *testing.B) {
	names, err := filepath.Glob(filepath.Join(zlintFolder(b), "*.pem"))
	noError(b, err)
	var certs []KnownCertificate
	for _, name := range names {
		text, err := os.ReadFile(name)
		noError(b, err)
		if block, _ := pem.Decode(text); block != nil && block.Type == "CERTIFICATE" {
			certs = append(certs, KnownCertificate{Owner: filepath.Base(name), DER: block.Bytes})
		}
	}
	l := mustNew(b, "private")
	for b.Loop() {
		h := NewHierarchy(certs, nil)
		for _, c := range certs {
			l.Certificate(h.Surround(Certificate{DER: c.DER, Preview: true}), testNow)
		}
	}
	b.ReportMetric(float64(b.N*len(certs))/b.Elapsed().Seconds(), "certs/s")
}
