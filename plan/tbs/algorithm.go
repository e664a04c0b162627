package tbs

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	_ "crypto/sha256" // hashes of the algorithms below
	_ "crypto/sha512"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"filippo.io/mldsa"

	"pki.internal/plan/tbs/public"
	"pki.internal/spec"
)

// signatureScheme is how one algorithm signs.
type signatureScheme struct {
	oid  string
	null bool // RSA writes NULL parameters (RFC 4055 §5), the others none
	hash crypto.Hash
}

func schemeOf(a spec.Algorithm) (signatureScheme, error) {
	switch a {
	case spec.ECDSAP256:
		return signatureScheme{"1.2.840.10045.4.3.2", false, crypto.SHA256}, nil
	case spec.ECDSAP384:
		return signatureScheme{"1.2.840.10045.4.3.3", false, crypto.SHA384}, nil
	case spec.ECDSAP521:
		return signatureScheme{"1.2.840.10045.4.3.4", false, crypto.SHA512}, nil
	case spec.RSA3072:
		return signatureScheme{"1.2.840.113549.1.1.11", true, crypto.SHA256}, nil
	case spec.RSA4096:
		return signatureScheme{"1.2.840.113549.1.1.12", true, crypto.SHA384}, nil
	case spec.Ed25519:
		return signatureScheme{"1.3.101.112", false, 0}, nil
	case spec.MLDSA44: // RFC 9881 §2
		return signatureScheme{"2.16.840.1.101.3.4.3.17", false, 0}, nil
	case spec.MLDSA65:
		return signatureScheme{"2.16.840.1.101.3.4.3.18", false, 0}, nil
	case spec.MLDSA87:
		return signatureScheme{"2.16.840.1.101.3.4.3.19", false, 0}, nil
	}
	return signatureScheme{}, fmt.Errorf("%q is not an algorithm that this version signs with", a)
}

func algorithmIdentifier(a spec.Algorithm) (pkix.AlgorithmIdentifier, error) {
	s, err := schemeOf(a)
	if err != nil {
		return pkix.AlgorithmIdentifier{}, err
	}
	oid, err := parseOID(s.oid)
	id := pkix.AlgorithmIdentifier{Algorithm: oid}
	if s.null {
		id.Parameters = asn1.NullRawValue
	}
	return id, err
}

// Digest gives what a signer is handed for a message: its hash, or the
// message itself for an algorithm that hashes on its own, with the matching
// options.
func Digest(a spec.Algorithm, message []byte) ([]byte, crypto.SignerOpts, error) {
	s, err := schemeOf(a)
	if err != nil {
		return nil, nil, err
	}
	if s.hash == 0 {
		return message, crypto.Hash(0), nil
	}
	h := s.hash.New()
	h.Write(message)
	return h.Sum(nil), s.hash, nil
}

// ErrSignature means that a signature is not the named key's signature of the
// message.
var ErrSignature = errors.New("the signature does not verify under the public key")

// Verify holds a signature against a public key (SubjectPublicKeyInfo in DER)
// in software.
func Verify(a spec.Algorithm, spki, message, signature []byte) error {
	digest, _, err := Digest(a, message)
	if err != nil {
		return err
	}
	return VerifyDigest(a, spki, digest, signature)
}

// VerifyDigest is Verify for who has the digest of the message, or the message
// itself where Digest gives that.
func VerifyDigest(a spec.Algorithm, spki, digest, signature []byte) error {
	key, err := public.Parse(spki)
	if err != nil {
		return fmt.Errorf("public key: %w", err)
	}
	scheme, err := schemeOf(a)
	if err != nil {
		return err
	}
	have, err := AlgorithmOf(key)
	if err != nil {
		return err
	}
	if have != a {
		return fmt.Errorf("the key is %s, not %s: %w", have.Title(), a.Title(), ErrSignature)
	}
	if !public.VerifyDigest(key, scheme.hash, digest, signature) {
		return ErrSignature
	}
	return nil
}

// SignerOptions gives what a signer is told beside a digest.
func SignerOptions(a spec.Algorithm) (crypto.SignerOpts, error) {
	s, err := schemeOf(a)
	return s.hash, err
}

// AlgorithmOfSPKI is AlgorithmOf for a SubjectPublicKeyInfo in DER.
func AlgorithmOfSPKI(spki []byte) (spec.Algorithm, error) {
	key, err := public.Parse(spki)
	if err != nil {
		return "", err
	}
	return AlgorithmOf(key)
}

// AlgorithmOf tells which algorithm a public key is for.
func AlgorithmOf(key crypto.PublicKey) (spec.Algorithm, error) {
	switch key := key.(type) {
	case *ecdsa.PublicKey:
		switch key.Curve.Params().BitSize {
		case 256:
			return spec.ECDSAP256, nil
		case 384:
			return spec.ECDSAP384, nil
		case 521:
			return spec.ECDSAP521, nil
		}
		return "", fmt.Errorf("an ECDSA key on %s is not supported; use P-256, P-384 or P-521", key.Curve.Params().Name)
	case *rsa.PublicKey:
		switch key.N.BitLen() {
		case 3072:
			return spec.RSA3072, nil
		case 4096:
			return spec.RSA4096, nil
		}
		return "", fmt.Errorf("an RSA key of %d bits is not supported; use 3072 or 4096", key.N.BitLen())
	case ed25519.PublicKey:
		return spec.Ed25519, nil
	case *mldsa.PublicKey:
		return spec.Algorithm(strings.ToLower(key.Parameters().String())), nil
	}
	return "", fmt.Errorf("a key of %s is not supported; use ECDSA, RSA, Ed25519 or ML-DSA", public.Name(key))
}

func parseOID(s string) (asn1.ObjectIdentifier, error) {
	parts := strings.Split(s, ".")
	oid := make(asn1.ObjectIdentifier, 0, len(parts))
	for _, p := range parts {
		n, err := strconv.Atoi(p)
		if err != nil || n < 0 || strconv.Itoa(n) != p {
			return nil, fmt.Errorf("%q is not an object identifier", s)
		}
		oid = append(oid, n)
	}
	if len(oid) < 2 {
		return nil, fmt.Errorf("%q is not an object identifier", s)
	}
	return oid, nil
}
