package tbs

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	_ "crypto/sha256" // hashes of the algorithms below
	_ "crypto/sha512"
	"crypto/x509"
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
	pss  bool // RSASSA-PSS, whose parameters name the hash (RFC 4055 §3.1)
}

func schemeOf(a spec.Algorithm) (signatureScheme, error) {
	switch a {
	case spec.ECDSAP256:
		return signatureScheme{oid: "1.2.840.10045.4.3.2", hash: crypto.SHA256}, nil
	case spec.ECDSAP384:
		return signatureScheme{oid: "1.2.840.10045.4.3.3", hash: crypto.SHA384}, nil
	case spec.ECDSAP521:
		return signatureScheme{oid: "1.2.840.10045.4.3.4", hash: crypto.SHA512}, nil
	case spec.RSA3072:
		return signatureScheme{oid: "1.2.840.113549.1.1.11", null: true, hash: crypto.SHA256}, nil
	case spec.RSA4096:
		return signatureScheme{oid: "1.2.840.113549.1.1.12", null: true, hash: crypto.SHA384}, nil
	case spec.RSA3072PSS:
		return signatureScheme{oid: oidPSS, hash: crypto.SHA256, pss: true}, nil
	case spec.RSA4096PSS:
		return signatureScheme{oid: oidPSS, hash: crypto.SHA384, pss: true}, nil
	case spec.Ed25519:
		return signatureScheme{oid: "1.3.101.112"}, nil
	case spec.MLDSA44: // RFC 9881 §2
		return signatureScheme{oid: "2.16.840.1.101.3.4.3.17"}, nil
	case spec.MLDSA65:
		return signatureScheme{oid: "2.16.840.1.101.3.4.3.18"}, nil
	case spec.MLDSA87:
		return signatureScheme{oid: "2.16.840.1.101.3.4.3.19"}, nil
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
	switch {
	case s.null:
		id.Parameters = asn1.NullRawValue
	case s.pss:
		id.Parameters.FullBytes, err = public.PSSParameters(s.hash)
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
	return h.Sum(nil), s.options(), nil
}

// options are what a signer is told. A PSS salt is as long as the hash, as
// RFC 4055 §3.1 recommends.
func (s signatureScheme) options() crypto.SignerOpts {
	if s.pss {
		return &rsa.PSSOptions{SaltLength: s.hash.Size(), Hash: s.hash}
	}
	return s.hash
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
	if have != a.KeyType() {
		return fmt.Errorf("the key is %s, not %s: %w", have.Title(), a.Title(), ErrSignature)
	}
	if !public.VerifyDigest(key, scheme.options(), digest, signature) {
		return ErrSignature
	}
	return nil
}

// SignerOptions gives what a signer is told beside a digest.
func SignerOptions(a spec.Algorithm) (crypto.SignerOpts, error) {
	s, err := schemeOf(a)
	return s.options(), err
}

// AlgorithmOfSPKI is AlgorithmOf for a SubjectPublicKeyInfo in DER.
func AlgorithmOfSPKI(spki []byte) (spec.Algorithm, error) {
	key, err := public.Parse(spki)
	if err != nil {
		return "", err
	}
	return AlgorithmOf(key)
}

const oidPSS = "1.2.840.113549.1.1.10"

// SignedAs gives the algorithm of an authority from a certificate that its own
// key has signed: that of the key, and PSS where the signature is.
func SignedAs(c *x509.Certificate) (spec.Algorithm, error) {
	a, err := AlgorithmOfSPKI(c.RawSubjectPublicKeyInfo)
	switch c.SignatureAlgorithm {
	case x509.SHA256WithRSAPSS, x509.SHA384WithRSAPSS, x509.SHA512WithRSAPSS:
		if bytes.Equal(c.RawSubject, c.RawIssuer) {
			a += "-pss"
		}
	}
	return a, err
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
