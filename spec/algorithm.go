package spec

import (
	"slices"
	"strings"
)

// Algorithm is a kind of key, and with it the one signature it makes.
type Algorithm string

// The algorithms of version 1. Each key signs with the hash of its own
// strength (NIST SP 800-57 part 1 §5.6.1; RFC 5480 §4),
// and ML-DSA signs the message itself (FIPS 204; RFC 9881 §3).
const (
	ECDSAP256 Algorithm = "ecdsa-p256"
	ECDSAP384 Algorithm = "ecdsa-p384"
	ECDSAP521 Algorithm = "ecdsa-p521"
	RSA3072   Algorithm = "rsa-3072"
	RSA4096   Algorithm = "rsa-4096"
	Ed25519   Algorithm = "ed25519"
	MLDSA44   Algorithm = "ml-dsa-44"
	MLDSA65   Algorithm = "ml-dsa-65"
	MLDSA87   Algorithm = "ml-dsa-87"

	// An RSA key that signs with RSASSA-PSS (RFC 4055 §3.1); the two above sign
	// with RSASSA-PKCS1-v1_5.
	RSA3072PSS Algorithm = "rsa-3072-pss"
	RSA4096PSS Algorithm = "rsa-4096-pss"
)

// Algorithms lists every algorithm in the order in which help shows them.
func Algorithms() []Algorithm {
	return []Algorithm{ECDSAP256, ECDSAP384, ECDSAP521, RSA3072, RSA4096, RSA3072PSS, RSA4096PSS, Ed25519, MLDSA44, MLDSA65, MLDSA87}
}

// KeyTypes lists the algorithms without those that differ only in how they
// sign: what a key alone can be told by.
func KeyTypes() []Algorithm {
	return slices.DeleteFunc(Algorithms(), func(a Algorithm) bool { return a != a.KeyType() })
}

// KeyType gives the algorithm that a key of this one shows. An RSA key does
// not say how it signs.
func (a Algorithm) KeyType() Algorithm { return Algorithm(strings.TrimSuffix(string(a), "-pss")) }

// Title gives the name that people read on paper.
func (a Algorithm) Title() string {
	switch a {
	case ECDSAP256:
		return "ECDSA P-256"
	case ECDSAP384:
		return "ECDSA P-384"
	case ECDSAP521:
		return "ECDSA P-521"
	case RSA3072:
		return "RSA 3072"
	case RSA4096:
		return "RSA 4096"
	case RSA3072PSS:
		return "RSA 3072 (PSS)"
	case RSA4096PSS:
		return "RSA 4096 (PSS)"
	case Ed25519:
		return "Ed25519"
	case MLDSA44, MLDSA65, MLDSA87:
		return strings.ToUpper(string(a))
	}
	return string(a)
}

// PostQuantum reports whether no quantum computer is known to break the
// algorithm. Most software of today does not know such an algorithm either.
func (a Algorithm) PostQuantum() bool {
	switch a {
	case MLDSA44, MLDSA65, MLDSA87:
		return true
	}
	return false
}

// ExtKeyUsage is the name of an extended key usage (RFC 5280 §4.2.1.12).
type ExtKeyUsage string

// OID gives the object identifier of a known usage, or "" for an unknown one.
func (e ExtKeyUsage) OID() string {
	switch e {
	case "server_auth":
		return "1.3.6.1.5.5.7.3.1"
	case "client_auth":
		return "1.3.6.1.5.5.7.3.2"
	case "code_signing":
		return "1.3.6.1.5.5.7.3.3"
	case "email_protection":
		return "1.3.6.1.5.5.7.3.4"
	case "time_stamping":
		return "1.3.6.1.5.5.7.3.8"
	}
	if s := string(e); ValidOID(s) && !slices.Contains(forbiddenUsages(), s) {
		return s
	}
	return ""
}

// forbiddenUsages are OCSP signing and "any"; see ExtKeyUsages.
func forbiddenUsages() []string { return []string{"1.3.6.1.5.5.7.3.9", "2.5.29.37.0"} }

// ExtKeyUsages lists the usages a CA may carry. OCSP signing and "any" are
// left out on purpose: a CA with them could forge the status of its siblings
// (RFC 6960 §4.2.2.2; CABF BR §7.1.2.10.6).
func ExtKeyUsages() []ExtKeyUsage {
	return []ExtKeyUsage{"server_auth", "client_auth", "code_signing", "email_protection", "time_stamping"}
}
