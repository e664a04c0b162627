// Package tbs answers one question: which exact bytes get signed?
//
// A TBSCertificate or TBSCertList is a pure function of a template and of the
// public keys that the template leaves open. A template fixes everything else:
// serial, names, dates and every extension. So a plan can hold the bytes of
// whatever concerns a key that exists, and for a key still to be made all but
// its SubjectPublicKeyInfo, its identifier and its issuer's identifier.
package tbs

import (
	"crypto/sha256"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"pki.internal/spec"
)

// Open names an extension value that only a key can give.
type Open string

// The values a template can leave open.
const (
	SubjectKeyID   Open = "subject_key_id"   // of the certificate's own key
	AuthorityKeyID Open = "authority_key_id" // of the issuer's key
)

// Extension is one X.509 extension, in place. Exactly one of Value and Open
// is set.
type Extension struct {
	OID      string `json:"oid"`
	Critical bool   `json:"critical"`
	Value    []byte `json:"value,omitempty"` // DER, as it goes into extnValue
	Open     Open   `json:"open,omitempty"`
}

// Certificate is a certificate before its keys are known.
type Certificate struct {
	Serial     string         `json:"serial"`    // lower-case hex, big-endian, even number of digits
	Signature  spec.Algorithm `json:"signature"` // the issuer's algorithm
	Issuer     []byte         `json:"issuer"`    // Name in DER
	NotBefore  time.Time      `json:"not_before"`
	NotAfter   time.Time      `json:"not_after"` // the last second that counts
	Subject    []byte         `json:"subject"`   // Name in DER
	Extensions []Extension    `json:"extensions"`
}

type tbsCertificate struct {
	Version    int `asn1:"explicit,tag:0"`
	Serial     *big.Int
	Signature  pkix.AlgorithmIdentifier
	Issuer     asn1.RawValue
	Validity   validity
	Subject    asn1.RawValue
	PublicKey  asn1.RawValue
	Extensions []pkix.Extension `asn1:"explicit,tag:3,optional,omitempty"`
}

type validity struct {
	NotBefore, NotAfter time.Time
}

// Keys are what a template leaves open.
type Keys struct {
	Subject  []byte // SubjectPublicKeyInfo in DER; not used by a CRL
	IssuerID []byte // the issuer's subject key identifier
}

// Build gives the TBSCertificate (RFC 5280 §4.1).
func (c *Certificate) Build(k Keys) ([]byte, error) {
	serial, err := parseSerial(c.Serial)
	if err != nil {
		return nil, err
	}
	// RFC 5280 §4.1.2.2: at most 20 octets, and one bit of them is the sign.
	if len(c.Serial)%2 != 0 || serial.BitLen() > maxSerialBits {
		return nil, fmt.Errorf("serial %q is not of 1 to 20 whole octets below 2^%d", c.Serial, maxSerialBits)
	}
	for _, name := range [][]byte{c.Issuer, c.Subject} {
		if err := checkName(name); err != nil {
			return nil, err
		}
	}
	subjectID, err := KeyID(k.Subject)
	if err != nil {
		return nil, err
	}
	extensions, err := buildExtensions(c.Extensions, subjectID, k.IssuerID)
	if err != nil {
		return nil, err
	}
	signature, err := algorithmIdentifier(c.Signature)
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(tbsCertificate{
		Version:    2, // v3
		Serial:     serial,
		Signature:  signature,
		Issuer:     asn1.RawValue{FullBytes: c.Issuer},
		Validity:   validity{c.NotBefore.UTC(), c.NotAfter.UTC()},
		Subject:    asn1.RawValue{FullBytes: c.Subject},
		PublicKey:  asn1.RawValue{FullBytes: k.Subject},
		Extensions: extensions,
	})
}

// maxSerialBits keeps serials and CRL numbers within 20 octets
// (RFC 5280 §4.1.2.2 and §5.2.3).
const maxSerialBits = 159

// parseSerial reads a positive number in lower-case hex without a sign.
func parseSerial(s string) (*big.Int, error) {
	serial, ok := new(big.Int).SetString(s, 16)
	if !ok || serial.Sign() <= 0 || strings.Trim(s, "0123456789abcdef") != "" {
		return nil, fmt.Errorf("serial %q is not a positive number in lower-case hex", s)
	}
	return serial, nil
}

// checkName refuses bytes that are not exactly one SEQUENCE, since they are
// copied as they are and could smuggle in the fields that follow.
func checkName(der []byte) error {
	var name asn1.RawValue
	rest, err := asn1.Unmarshal(der, &name)
	if err != nil || len(rest) > 0 || !isSequence(name) {
		return fmt.Errorf("name %x is not one distinguished name in DER", der)
	}
	return nil
}

func isSequence(v asn1.RawValue) bool {
	return v.Class == asn1.ClassUniversal && v.Tag == asn1.TagSequence && v.IsCompound
}

func buildExtensions(open []Extension, subjectID, issuerID []byte) ([]pkix.Extension, error) {
	extensions := make([]pkix.Extension, 0, len(open))
	for _, e := range open {
		oid, err := parseOID(e.OID)
		if err != nil {
			return nil, err
		}
		value := e.Value
		switch e.Open {
		case "":
			if len(value) == 0 {
				return nil, fmt.Errorf("extension %s has no value", e.OID)
			}
		case SubjectKeyID:
			value, err = asn1.Marshal(subjectID)
		case AuthorityKeyID:
			if len(issuerID) == 0 {
				return nil, errors.New("the issuer's key identifier is not known yet")
			}
			value, err = authorityKeyID(issuerID)
		default:
			return nil, fmt.Errorf("extension %s leaves open %q, which this version does not know", e.OID, e.Open)
		}
		if err != nil {
			return nil, err
		}
		extensions = append(extensions, pkix.Extension{Id: oid, Critical: e.Critical, Value: value})
	}
	return extensions, nil
}

// KeyID gives the subject key identifier of a SubjectPublicKeyInfo: the first
// 160 bits of the SHA-256 of the key's bit string (RFC 7093 §2 method 1).
func KeyID(spki []byte) ([]byte, error) {
	var info struct {
		Algorithm asn1.RawValue
		Key       asn1.BitString
	}
	rest, err := asn1.Unmarshal(spki, &info)
	if err != nil {
		return nil, fmt.Errorf("public key: %w", err)
	}
	if len(rest) > 0 {
		return nil, errors.New("public key: bytes follow the SubjectPublicKeyInfo")
	}
	sum := sha256.Sum256(info.Key.RightAlign())
	return sum[:20], nil
}

// Assemble puts a signature behind the bytes it covers. It serves
// certificates and CRLs alike (RFC 5280 §4.1, §5.1).
func Assemble(tbs []byte, a spec.Algorithm, signature []byte) ([]byte, error) {
	id, err := algorithmIdentifier(a)
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(struct {
		TBS       asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}{asn1.RawValue{FullBytes: tbs}, id, asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)}})
}
