package public

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

	"filippo.io/mldsa"
)

// ErrSignature means that a signature is not that of the key.
var ErrSignature = errors.New("the signature does not verify")

// Scheme is one signature algorithm.
type Scheme struct {
	Name string
	Hash crypto.Hash // 0: the algorithm takes the message itself

	oid  string
	kind string // of the key, as kindOf names it
	pss  bool
}

// schemes are those that this package verifies by itself. SHA-1 is not among
// them: nobody should rely on such a signature any more.
func schemes() []Scheme {
	return []Scheme{
		{"ECDSA-SHA256", crypto.SHA256, "1.2.840.10045.4.3.2", "EC", false},
		{"ECDSA-SHA384", crypto.SHA384, "1.2.840.10045.4.3.3", "EC", false},
		{"ECDSA-SHA512", crypto.SHA512, "1.2.840.10045.4.3.4", "EC", false},
		{"SHA256-RSA", crypto.SHA256, "1.2.840.113549.1.1.11", "RSA", false},
		{"SHA384-RSA", crypto.SHA384, "1.2.840.113549.1.1.12", "RSA", false},
		{"SHA512-RSA", crypto.SHA512, "1.2.840.113549.1.1.13", "RSA", false},
		{"SHA256-RSAPSS", crypto.SHA256, oidPSS, "RSA", true},
		{"SHA384-RSAPSS", crypto.SHA384, oidPSS, "RSA", true},
		{"SHA512-RSAPSS", crypto.SHA512, oidPSS, "RSA", true},
		{"Ed25519", 0, "1.3.101.112", "Ed25519", false},
		{"ML-DSA-44", 0, "2.16.840.1.101.3.4.3.17", "ML-DSA-44", false},
		{"ML-DSA-65", 0, "2.16.840.1.101.3.4.3.18", "ML-DSA-65", false},
		{"ML-DSA-87", 0, "2.16.840.1.101.3.4.3.19", "ML-DSA-87", false},
	}
}

func kindOf(key crypto.PublicKey) string {
	switch k := key.(type) {
	case *ecdsa.PublicKey:
		return "EC"
	case *rsa.PublicKey:
		return "RSA"
	case ed25519.PublicKey:
		return "Ed25519"
	case *mldsa.PublicKey:
		return k.Parameters().String()
	}
	return ""
}

// Refuse says why a signature of a scheme that SchemeOf does not know is not
// verified.
func (s Scheme) Refuse() error {
	if s.kind != "" {
		return fmt.Errorf("the identifier of signature algorithm %s has parameters, and must have none: %w", s.Name, ErrSignature)
	}
	return fmt.Errorf("signature algorithm %s is not one that this version verifies", s.Name)
}

// SchemeOf finds the algorithm of an AlgorithmIdentifier in DER. Where it is
// not known the name is the object identifier. One with parameters that it must
// not have (RFC 9881 §2) is not known, and has its name.
func SchemeOf(algorithm []byte) (Scheme, bool) {
	var id struct {
		OID        asn1.ObjectIdentifier
		Parameters asn1.RawValue `asn1:"optional"`
	}
	if rest, err := asn1.Unmarshal(algorithm, &id); err != nil || len(rest) > 0 {
		return Scheme{Name: "unreadable"}, false
	}
	oid := id.OID.String()
	for _, s := range schemes() {
		if s.pss && s.oid == oid {
			want, err := PSSParameters(s.Hash)
			if err == nil && bytes.Equal(id.Parameters.FullBytes, want) {
				return s, true
			}
			continue
		}
		if s.oid == oid {
			bare := s.Hash != 0 || len(id.Parameters.FullBytes) == 0
			return s, bare
		}
	}
	return Scheme{Name: oid}, false
}

// Verify holds a signature against a key. digest is the hash of the message,
// or the message itself where Hash is 0.
func (s Scheme) Verify(key crypto.PublicKey, digest, signature []byte) error {
	if s.kind == "" || s.kind != kindOf(key) {
		return fmt.Errorf("the signature is of %s, and the key of %s: %w", s.Name, Name(key), ErrSignature)
	}
	if !VerifyDigest(key, s.options(), digest, signature) {
		return ErrSignature
	}
	return nil
}

func (s Scheme) options() crypto.SignerOpts {
	if s.pss {
		return &rsa.PSSOptions{SaltLength: s.Hash.Size(), Hash: s.Hash}
	}
	return s.Hash
}

const oidPSS = "1.2.840.113549.1.1.10"

// PSSParameters are RSASSA-PSS-params in the one form that crypto/x509 knows:
// a hash, MGF1 with the same, and a salt of its length (RFC 4055 §3.1). The
// hashes have NULL parameters (§2.1), and the trailer field is its default.
func PSSParameters(hash crypto.Hash) ([]byte, error) {
	oid, known := map[crypto.Hash]asn1.ObjectIdentifier{
		crypto.SHA256: {2, 16, 840, 1, 101, 3, 4, 2, 1}, crypto.SHA384: {2, 16, 840, 1, 101, 3, 4, 2, 2}, crypto.SHA512: {2, 16, 840, 1, 101, 3, 4, 2, 3},
	}[hash]
	if !known {
		return nil, fmt.Errorf("no PSS parameters for the hash %s", hash)
	}
	hashID := pkix.AlgorithmIdentifier{Algorithm: oid, Parameters: asn1.NullRawValue}
	inner, err := asn1.Marshal(hashID)
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(struct {
		Hash pkix.AlgorithmIdentifier `asn1:"explicit,tag:0"`
		MGF  pkix.AlgorithmIdentifier `asn1:"explicit,tag:1"`
		Salt int                      `asn1:"explicit,tag:2"`
	}{
		hashID,
		pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 8}, Parameters: asn1.RawValue{FullBytes: inner}}, // id-mgf1
		hash.Size(),
	})
}

// VerifyDigest says whether a signature is that of a key. digest is the hash
// of the message, or the message itself where the options name no hash.
func VerifyDigest(key crypto.PublicKey, opts crypto.SignerOpts, digest, signature []byte) bool {
	hash := opts.HashFunc()
	switch k := key.(type) {
	case *ecdsa.PublicKey:
		return hash != 0 && ecdsa.VerifyASN1(k, digest, signature)
	case *rsa.PublicKey:
		if pss, is := opts.(*rsa.PSSOptions); is {
			return hash != 0 && rsa.VerifyPSS(k, hash, digest, signature, pss) == nil
		}
		return hash != 0 && rsa.VerifyPKCS1v15(k, hash, digest, signature) == nil
	case ed25519.PublicKey:
		return hash == 0 && len(k) == ed25519.PublicKeySize && ed25519.Verify(k, digest, signature)
	case *mldsa.PublicKey:
		// Certificates use no context string (RFC 9881 §3).
		return hash == 0 && mldsa.Verify(k, digest, signature, nil) == nil
	}
	return false
}

// CheckCertificate verifies the signature of a certificate under the key of
// its issuer, and nothing else.
func CheckCertificate(c, issuer *x509.Certificate) error {
	if c.SignatureAlgorithm != x509.UnknownSignatureAlgorithm {
		return issuer.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature)
	}
	return check(c.Raw, c.RawTBSCertificate, c.Signature, issuer.RawSubjectPublicKeyInfo)
}

// CheckList verifies the signature of a revocation list under the key of its
// issuer, and nothing else.
func CheckList(l *x509.RevocationList, issuer *x509.Certificate) error {
	if l.SignatureAlgorithm != x509.UnknownSignatureAlgorithm {
		return issuer.CheckSignature(l.SignatureAlgorithm, l.RawTBSRevocationList, l.Signature)
	}
	return check(l.Raw, l.RawTBSRevocationList, l.Signature, issuer.RawSubjectPublicKeyInfo)
}

// CheckRequest verifies that whoever made a request holds its key (RFC 2986
// §3).
func CheckRequest(r *x509.CertificateRequest) error {
	if r.SignatureAlgorithm != x509.UnknownSignatureAlgorithm {
		return r.CheckSignature()
	}
	return check(r.Raw, r.RawTBSCertificateRequest, r.Signature, r.RawSubjectPublicKeyInfo)
}

// CheckIssued is CheckCertificate with the rights of the issuer: it is an
// authority, and its key may sign certificates (RFC 5280 §6.1.4 (k), (n)).
func CheckIssued(c, issuer *x509.Certificate) error {
	if err := mayIssue(issuer); err != nil {
		return err
	}
	return CheckCertificate(c, issuer)
}

func mayIssue(issuer *x509.Certificate) error {
	if issuer.Version >= 3 && (!issuer.BasicConstraintsValid || !issuer.IsCA) {
		return fmt.Errorf("%q is no authority", issuer.Subject)
	}
	if issuer.KeyUsage != 0 && issuer.KeyUsage&x509.KeyUsageCertSign == 0 {
		return fmt.Errorf("the key usage of %q does not allow it to sign certificates", issuer.Subject)
	}
	return nil
}

// check verifies an object that crypto/x509 could not name the algorithm of.
func check(object, message, signature, spki []byte) error {
	algorithm, err := outerAlgorithm(object)
	if err != nil {
		return err
	}
	s, known := SchemeOf(algorithm)
	if !known {
		return s.Refuse()
	}
	if s.Hash != 0 { // crypto/x509 knows these, and refused it for a reason
		return fmt.Errorf("the identifier of signature algorithm %s is not as it must be: %w", s.Name, ErrSignature)
	}
	key, err := Parse(spki)
	if err != nil {
		return fmt.Errorf("public key: %w", err)
	}
	return s.Verify(key, message, signature)
}

var errEnvelope = errors.New("not a signed object in DER")

// outerAlgorithm gives the AlgorithmIdentifier behind the signed bytes.
func outerAlgorithm(object []byte) ([]byte, error) {
	var outer struct{ Signed, Algorithm, Signature asn1.RawValue }
	if rest, err := asn1.Unmarshal(object, &outer); err != nil || len(rest) > 0 {
		return nil, errEnvelope
	}
	return bytes.Clone(outer.Algorithm.FullBytes), nil
}

// SignatureOf names the signature algorithm of a certificate, list or request,
// by its object identifier when it is not known. named is what crypto/x509
// thinks of it, and object the whole of it in DER.
func SignatureOf(named x509.SignatureAlgorithm, object []byte) string {
	if named != x509.UnknownSignatureAlgorithm {
		return named.String()
	}
	algorithm, err := outerAlgorithm(object)
	if err != nil {
		return "unreadable"
	}
	s, _ := SchemeOf(algorithm)
	return s.Name
}
