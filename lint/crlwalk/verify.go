package crlwalk

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"

	"pki.internal/plan/tbs/public"
)

// hashOf gives the hash of an algorithm. One that is not known is hashed with
// SHA-256, to have a name for the bytes; it never verifies.
func hashOf(algorithm []byte) crypto.Hash {
	if s, known := public.SchemeOf(algorithm); known {
		return s.Hash
	}
	return crypto.SHA256
}

// AlgorithmName names the signature algorithm, by its object identifier when
// it is not known.
func (l *List) AlgorithmName() string {
	s, _ := public.SchemeOf(l.Algorithm)
	return s.Name
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
	key, err := public.Of(issuer)
	if err != nil {
		return fmt.Errorf("the key of %q: %w", issuer.Subject, err)
	}
	return l.CheckSignature(key)
}

// CheckSignature verifies a list's signature under a public key.
func (l *List) CheckSignature(key crypto.PublicKey) error {
	s, known := public.SchemeOf(l.Algorithm)
	if !known {
		return s.Refuse()
	}
	digest, _ := l.Digest()
	if s.Verify(key, digest, l.Signature) != nil {
		return ErrSignature
	}
	return nil
}
