// Package public answers one question: whose signature is this?
//
// It reads public keys of every algorithm that an authority may have, and holds
// signatures against them. crypto/x509 of Go 1.26 reads certificates of ML-DSA
// (FIPS 204) and leaves their key and their signature algorithm unknown, so
// everything that asks for a certificate's key or verifies a signature asks
// here (RFC 9881). From Go 1.27 on the standard library knows both, and this
// package hands them through.
package public

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"

	"filippo.io/mldsa"
	mldsax509 "filippo.io/mldsa/x509"
)

// Parse reads a SubjectPublicKeyInfo in DER. The key is of one of the types of
// crypto/x509, or a *mldsa.PublicKey. A key of ML-DSA is accepted in its one
// form alone: without parameters, and of the length of its parameter set (RFC
// 9881 §2, §4).
func Parse(spki []byte) (crypto.PublicKey, error) {
	key, err := mldsax509.ParsePKIXPublicKey(spki)
	if err != nil {
		return nil, err
	}
	if _, lattice := key.(*mldsa.PublicKey); lattice {
		// The reader aligns bit strings and skips what follows them.
		if again, err := Marshal(key); err != nil || !bytes.Equal(again, spki) {
			return nil, errors.New("an ML-DSA key that is not in DER")
		}
	}
	return key, nil
}

// Marshal gives the SubjectPublicKeyInfo of a key in DER.
func Marshal(key crypto.PublicKey) ([]byte, error) { return mldsax509.MarshalPKIXPublicKey(key) }

// Of gives a certificate's key.
func Of(c *x509.Certificate) (crypto.PublicKey, error) {
	if c.PublicKey != nil {
		return c.PublicKey, nil
	}
	return Parse(c.RawSubjectPublicKeyInfo)
}

// OfRequest gives the key of a certificate request.
func OfRequest(r *x509.CertificateRequest) (crypto.PublicKey, error) {
	if r.PublicKey != nil {
		return r.PublicKey, nil
	}
	return Parse(r.RawSubjectPublicKeyInfo)
}

// Name gives the name of a key's algorithm, as people read it.
func Name(key crypto.PublicKey) string {
	switch k := key.(type) {
	case *ecdsa.PublicKey:
		return "ECDSA " + k.Curve.Params().Name
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d", k.N.BitLen())
	case ed25519.PublicKey:
		return "Ed25519"
	case *mldsa.PublicKey:
		return k.Parameters().String()
	case nil:
		return "an unknown algorithm"
	}
	return fmt.Sprintf("%T", key)
}

// PostQuantum says whether a key is of ML-DSA.
func PostQuantum(key crypto.PublicKey) bool {
	_, lattice := key.(*mldsa.PublicKey)
	return lattice
}

// NameOf gives the name of the algorithm of the key in a SubjectPublicKeyInfo,
// or says that it cannot be read.
func NameOf(spki []byte) string {
	key, err := Parse(spki)
	if err != nil {
		return fmt.Sprintf("a key that cannot be read (%s)", err)
	}
	return Name(key)
}
