package lint

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// The dates of the estate that every test uses.
var (
	rootFrom    = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
	rootUntil   = time.Date(2045, time.December, 31, 23, 59, 59, 0, time.UTC)
	issuingFrom = time.Date(2026, time.February, 1, 0, 0, 0, 0, time.UTC)
	issuingEnd  = time.Date(2031, time.January, 31, 23, 59, 59, 0, time.UTC)
	crlFrom     = time.Date(2026, time.March, 1, 0, 0, 0, 0, time.UTC)
	testNow     = time.Date(2026, time.March, 15, 12, 0, 0, 0, time.UTC)
)

const (
	rootCRLURL    = "http://pki.acme.example/root.crl"
	issuingCRLURL = "http://pki.acme.example/issuing.crl"
)

// steady makes the same signature every time: ECDSA without randomness is
// deterministic (RFC 6979), RSA PKCS #1 v1.5 and Ed25519 always are.
type steady struct{ crypto.Signer }

func (s steady) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return s.Signer.Sign(nil, digest, opts)
}

// testKey is the key of that name: always the same one.
func testKey(t testing.TB, algorithm, name string) crypto.Signer {
	t.Helper()
	switch algorithm {
	case "ecdsa-p256", "ecdsa-p224":
		sum := sha256.Sum256([]byte(name))
		curve, size := elliptic.P256(), 32
		if algorithm == "ecdsa-p224" {
			curve, size = elliptic.P224(), 28
		}
		key, err := ecdsa.ParseRawPrivateKey(curve, sum[:size])
		noError(t, err)
		return steady{key}
	case "ecdsa-p384":
		sum := sha512.Sum384([]byte(name))
		key, err := ecdsa.ParseRawPrivateKey(elliptic.P384(), sum[:])
		noError(t, err)
		return steady{key}
	case "ed25519":
		sum := sha256.Sum256([]byte(name))
		return steady{ed25519.NewKeyFromSeed(sum[:])}
	case "rsa-2048", "rsa-4096":
		data, err := os.ReadFile(filepath.Join("testdata", "keys", "rsa"+algorithm[4:]+".pem"))
		noError(t, err)
		block, _ := pem.Decode(data)
		key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		noError(t, err)
		return steady{key.(crypto.Signer)}
	}
	t.Fatalf("no test key of algorithm %q", algorithm)
	return nil
}

func noError(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// serial is a serial number of 126 bits that belongs to the name.
func serial(name string) *big.Int {
	sum := sha256.Sum256([]byte("serial of " + name))
	sum[0] = sum[0]&0x3f | 0x20
	return new(big.Int).SetBytes(sum[:16])
}

func name(common string) pkix.Name {
	return pkix.Name{Country: []string{"US"}, Organization: []string{"ACME"}, CommonName: common}
}

func spki(t testing.TB, key crypto.Signer) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	noError(t, err)
	return der
}

// keyID is method 1 of RFC 7093: 160 bits of SHA-256 over the key.
func keyID(t testing.TB, key crypto.Signer) []byte {
	t.Helper()
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	_, err := asn1.Unmarshal(spki(t, key), &info)
	noError(t, err)
	sum := sha256.Sum256(info.Key.Bytes)
	return sum[:20]
}

// rootTemplate is a root as it should be.
func rootTemplate(t testing.TB, key crypto.Signer) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: serial("root"), Subject: name("ACME Root CA G1"),
		NotBefore: rootFrom, NotAfter: rootUntil,
		BasicConstraintsValid: true, IsCA: true, MaxPathLen: 1,
		KeyUsage:     x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		SubjectKeyId: keyID(t, key),
	}
}

// issuingTemplate is an issuing authority as it should be.
func issuingTemplate(t testing.TB, key crypto.Signer) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: serial("issuing"), Subject: name("ACME Issuing CA G1"),
		NotBefore: issuingFrom, NotAfter: issuingEnd,
		BasicConstraintsValid: true, IsCA: true, MaxPathLen: 0, MaxPathLenZero: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		SubjectKeyId:          keyID(t, key),
		CRLDistributionPoints: []string{rootCRLURL},
	}
}

// leafTemplate is a server's certificate as it should be.
func leafTemplate(t testing.TB, key crypto.Signer) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: serial("leaf"), Subject: pkix.Name{CommonName: "host.acme.internal"},
		NotBefore: crlFrom, NotAfter: crlFrom.AddDate(0, 0, 30),
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:              []string{"host.acme.internal"},
		SubjectKeyId:          keyID(t, key),
		CRLDistributionPoints: []string{issuingCRLURL},
	}
}

// crlTemplate is a list as it should be, with one entry.
func crlTemplate(t testing.TB, url string, onlyCAs bool) *x509.RevocationList {
	return &x509.RevocationList{
		Number: big.NewInt(7), ThisUpdate: crlFrom, NextUpdate: crlFrom.AddDate(0, 0, 400),
		RevokedCertificateEntries: []x509.RevocationListEntry{
			{SerialNumber: serial("old"), RevocationTime: crlFrom.Add(-time.Hour), ReasonCode: 4},
		},
		ExtraExtensions: []pkix.Extension{distributionPoint(t, url, onlyCAs)},
	}
}

// distributionPoint is a critical issuing distribution point.
func distributionPoint(t testing.TB, url string, onlyCAs bool) pkix.Extension {
	t.Helper()
	uri := asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 6, Bytes: []byte(url)}
	point := struct {
		Name struct {
			Full []asn1.RawValue `asn1:"tag:0"`
		} `asn1:"tag:0"`
		OnlyCAs bool `asn1:"optional,tag:2"`
	}{OnlyCAs: onlyCAs}
	point.Name.Full = []asn1.RawValue{uri}
	value, err := asn1.Marshal(point)
	noError(t, err)
	return pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 28}, Critical: true, Value: value}
}

// signCertificate signs template for the public key of subject.
func signCertificate(t testing.TB, template, parent *x509.Certificate, subject, signer crypto.Signer) []byte {
	t.Helper()
	der, err := x509.CreateCertificate(nil, template, parent, subject.Public(), signer)
	noError(t, err)
	return der
}

// signCRL signs template as the authority that owns the certificate.
func signCRL(t testing.TB, template *x509.RevocationList, issuer []byte, signer crypto.Signer) []byte {
	t.Helper()
	parent, err := x509.ParseCertificate(issuer)
	noError(t, err)
	der, err := x509.CreateRevocationList(nil, template, parent, signer)
	noError(t, err)
	return der
}

func parse(t testing.TB, der []byte) *x509.Certificate {
	t.Helper()
	cert, err := x509.ParseCertificate(der)
	noError(t, err)
	return cert
}

func mustNew(t testing.TB, profile string) *Linter {
	t.Helper()
	l, err := New(profile)
	noError(t, err)
	return l
}

// withStandIn is the object with every bit of its signature zero, as a draft
// may be.
func withStandIn(t testing.TB, der []byte) []byte {
	t.Helper()
	var signed struct {
		TBS, Algorithm asn1.RawValue
		Signature      asn1.BitString
	}
	_, err := asn1.Unmarshal(der, &signed)
	noError(t, err)
	clear(signed.Signature.Bytes)
	out, err := asn1.Marshal(signed)
	noError(t, err)
	return out
}
