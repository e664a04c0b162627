package tbs

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"time"

	"pki.internal/spec"
)

// CRL is a certificate revocation list before its issuer's key is known.
type CRL struct {
	Signature  spec.Algorithm `json:"signature"`
	Issuer     []byte         `json:"issuer"` // Name in DER
	ThisUpdate time.Time      `json:"this_update"`
	NextUpdate time.Time      `json:"next_update"`
	Entries    []Entry        `json:"entries"`
	Extensions []Extension    `json:"extensions"`
}

// Entry is one revoked certificate.
type Entry struct {
	Serial string    `json:"serial"` // lower-case hex
	Date   time.Time `json:"date"`
	Reason int       `json:"reason"` // CRLReason; 0 is left out (RFC 5280 §5.3.1)
}

type tbsCertList struct {
	Version    int
	Signature  pkix.AlgorithmIdentifier
	Issuer     asn1.RawValue
	ThisUpdate time.Time
	NextUpdate time.Time
	Revoked    []revoked        `asn1:"optional,omitempty"`
	Extensions []pkix.Extension `asn1:"explicit,tag:0,optional,omitempty"`
}

type revoked struct {
	Serial     *big.Int
	Date       time.Time
	Extensions []pkix.Extension `asn1:"optional,omitempty"`
}

// Build gives the TBSCertList (RFC 5280 §5.1.2).
func (c *CRL) Build(k Keys) ([]byte, error) {
	if err := checkName(c.Issuer); err != nil {
		return nil, err
	}
	extensions, err := buildExtensions(c.Extensions, nil, k.IssuerID)
	if err != nil {
		return nil, err
	}
	signature, err := algorithmIdentifier(c.Signature)
	if err != nil {
		return nil, err
	}
	list := tbsCertList{
		Version:    1, // v2
		Signature:  signature,
		Issuer:     asn1.RawValue{FullBytes: c.Issuer},
		ThisUpdate: c.ThisUpdate.UTC(),
		NextUpdate: c.NextUpdate.UTC(),
		Extensions: extensions,
	}
	for _, e := range c.Entries {
		entry, err := e.build()
		if err != nil {
			return nil, err
		}
		list.Revoked = append(list.Revoked, entry)
	}
	return asn1.Marshal(list)
}

func (e Entry) build() (revoked, error) {
	serial, err := parseSerial(e.Serial) // of any length: others may have issued it
	if err != nil {
		return revoked{}, err
	}
	if !knownReason(e.Reason) {
		return revoked{}, fmt.Errorf("revocation of serial %s: %d is not a CRLReason", e.Serial, e.Reason)
	}
	entry := revoked{Serial: serial, Date: e.Date.UTC()}
	if e.Reason == 0 {
		return entry, nil
	}
	value, err := asn1.Marshal(asn1.Enumerated(e.Reason))
	if err != nil {
		return revoked{}, err
	}
	entry.Extensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 21}, Value: value}}
	return entry, nil
}

// knownReason reports whether r is a CRLReason that a complete list may hold
// (RFC 5280 §5.3.1): 7 was never given out, and 8 is for delta CRLs.
func knownReason(r int) bool { return r >= 0 && r <= 10 && r != 7 && r != 8 }
