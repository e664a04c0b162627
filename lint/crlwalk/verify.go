package crlwalk

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	_ "crypto/sha256" // hashes of the algorithms below
	_ "crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
)

// scheme is one signature algorithm that lists are signed with.
type scheme struct {
	oid  string
	hash crypto.Hash // 0: the algorithm hashes by itself
	name string
}

// schemes are those that this package verifies. SHA-1 is not among them:
// nobody should rely on such a list any more.
func schemes() []scheme {
	return []scheme{
		{"1.2.840.10045.4.3.2", crypto.SHA256, "ECDSA-SHA256"},
		{"1.2.840.10045.4.3.3", crypto.SHA384, "ECDSA-SHA384"},
		{"1.2.840.10045.4.3.4", crypto.SHA512, "ECDSA-SHA512"},
		{"1.2.840.113549.1.1.11", crypto.SHA256, "SHA256-RSA"},
		{"1.2.840.113549.1.1.12", crypto.SHA384, "SHA384-RSA"},
		{"1.2.840.113549.1.1.13", crypto.SHA512, "SHA512-RSA"},
		{"1.3.101.112", 0, "Ed25519"},
	}
}

func schemeOf(algorithm []byte) (scheme, bool) {
	oid := algorithmOID(algorithm)
	for _, s := range schemes() {
		if s.oid == oid {
			return s, true
		}
	}
	return scheme{name: oid}, false
}

func algorithmOID(algorithm []byte) string {
	_, content, _, _ := readTLV(algorithm)
	var oid asn1.ObjectIdentifier
	if _, err := asn1.Unmarshal(content, &oid); err != nil {
		return "unreadable"
	}
	return oid.String()
}

// hashOf gives the hash of an algorithm. One that is not known is hashed with
// SHA-256, to have a name for the bytes; it never verifies.
func hashOf(algorithm []byte) crypto.Hash {
	if s, known := schemeOf(algorithm); known {
		return s.hash
	}
	return crypto.SHA256
}

// AlgorithmName names the signature algorithm, by its object identifier when
// it is not known.
func (l *List) AlgorithmName() string {
	s, _ := schemeOf(l.Algorithm)
	return s.name
}

// Digest gives the hash that the signature covers. For an algorithm that
// takes the message itself the hash is 0 and the octets are the message.
func (l *List) Digest() ([]byte, crypto.Hash) {
	if l.hash == 0 {
		return l.message, 0
	}
	return l.digest, l.hash
}

// ErrSignature means that a list is not signed by the key it was held against.
var ErrSignature = errors.New("the signature does not verify under the issuer's key")

// CheckIssuer holds a list against the certificate of its issuer: the name,
// the right to sign lists and the signature (RFC 5280 §6.3.3 (f), (g)).
func (l *List) CheckIssuer(issuer *x509.Certificate) error {
	if !bytes.Equal(l.Issuer, issuer.RawSubject) {
		return fmt.Errorf("the CRL's issuer is not %q, byte for byte", issuer.Subject)
	}
	if issuer.KeyUsage != 0 && issuer.KeyUsage&x509.KeyUsageCRLSign == 0 {
		return fmt.Errorf("the key usage of %q does not allow it to sign CRLs", issuer.Subject)
	}
	return l.CheckSignature(issuer.PublicKey)
}

// CheckSignature verifies a list's signature under a public key.
func (l *List) CheckSignature(public crypto.PublicKey) error {
	s, known := schemeOf(l.Algorithm)
	if !known {
		return fmt.Errorf("signature algorithm %s is not one that this version verifies", s.name)
	}
	good := false
	switch key := public.(type) {
	case *ecdsa.PublicKey:
		good = s.name[:2] == "EC" && ecdsa.VerifyASN1(key, l.digest, l.Signature)
	case *rsa.PublicKey:
		good = s.name[:2] == "SH" && rsa.VerifyPKCS1v15(key, s.hash, l.digest, l.Signature) == nil
	case ed25519.PublicKey:
		good = s.name[:2] == "Ed" && ed25519.Verify(key, l.message, l.Signature)
	}
	if !good {
		return ErrSignature
	}
	return nil
}
