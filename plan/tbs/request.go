package tbs

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
)

// Request is what a certificate is asked for with, when somebody else's
// authority signs it (RFC 2986). Only its key is open.
type Request struct {
	Subject    []byte `json:"subject"`     // Name in DER
	PathLength int    `json:"path_length"` // of the basicConstraints that it asks for; negative for none
	Rehearsal  bool   `json:"rehearsal,omitempty"`
}

type requestInfo struct {
	Version    int
	Subject    asn1.RawValue
	PublicKey  asn1.RawValue
	Attributes []requestAttribute `asn1:"tag:0,set"`
}

type requestAttribute struct {
	Type   asn1.ObjectIdentifier
	Values [][]pkix.Extension `asn1:"set"`
}

// Build gives the bytes that the key signs: a CertificationRequestInfo that
// asks for an authority's certificate by the extensions in it (RFC 2985
// §5.4.2). Who signs the certificate decides what is granted. spki is the
// SubjectPublicKeyInfo in DER.
func (r Request) Build(spki []byte) ([]byte, error) {
	if len(spki) == 0 || len(r.Subject) == 0 {
		return nil, errors.New("a request without a public key or a name")
	}
	constraints, err := asn1.Marshal(struct {
		CA         bool
		PathLength int `asn1:"optional,default:-1"`
	}{true, max(r.PathLength, -1)})
	if err != nil {
		return nil, fmt.Errorf("basicConstraints: %w", err)
	}
	usage, err := asn1.Marshal(asn1.BitString{Bytes: []byte{0x06}, BitLength: 7}) // keyCertSign and cRLSign, RFC 5280 §4.2.1.3
	if err != nil {
		return nil, fmt.Errorf("keyUsage: %w", err)
	}
	asked := []pkix.Extension{
		{Id: asn1.ObjectIdentifier{2, 5, 29, 19}, Critical: true, Value: constraints},
		{Id: asn1.ObjectIdentifier{2, 5, 29, 15}, Critical: true, Value: usage},
	}
	if r.Rehearsal {
		mark, err := RehearsalMark()
		if err != nil {
			return nil, err
		}
		asked = append(asked, pkix.Extension{Id: rehearsalOID, Critical: mark.Critical, Value: mark.Value})
	}
	return asn1.Marshal(requestInfo{
		Subject: asn1.RawValue{FullBytes: r.Subject}, PublicKey: asn1.RawValue{FullBytes: spki},
		Attributes: []requestAttribute{{
			Type:   asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 14},
			Values: [][]pkix.Extension{asked},
		}},
	})
}
