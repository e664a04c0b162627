package tbs

import (
	"crypto/sha1" // names a key and an issuer in OCSP (RFC 5019 §2.1.1), and secures nothing
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"time"

	"pki.internal/spec"
)

// OCSP is the answer about one certificate, before its issuer's key is known.
// The issuer itself signs it.
type OCSP struct {
	Signature  spec.Algorithm `json:"signature"`
	Issuer     []byte         `json:"issuer"` // Name in DER
	Serial     string         `json:"serial"` // lower-case hex
	Revoked    *Entry         `json:"revoked,omitempty"`
	ThisUpdate time.Time      `json:"this_update"`
	NextUpdate time.Time      `json:"next_update"`
}

type ocspCertID struct {
	Hash     pkix.AlgorithmIdentifier
	NameHash []byte
	KeyHash  []byte
	Serial   asn1.RawValue
}

type ocspSingle struct {
	ID         ocspCertID
	Status     asn1.RawValue
	ThisUpdate time.Time `asn1:"generalized"`
	NextUpdate time.Time `asn1:"generalized,explicit,tag:0"`
}

type ocspData struct {
	Responder asn1.RawValue
	Produced  time.Time `asn1:"generalized"`
	Answers   []ocspSingle
}

// Build gives the ResponseData (RFC 6960 §4.2.1) for an issuer with a public
// key (SubjectPublicKeyInfo). It is produced at thisUpdate. The responder is
// named by its key, and certificate and issuer by SHA-1, as every client of
// RFC 5019 asks.
func (o *OCSP) Build(issuerSPKI []byte) ([]byte, error) {
	if err := checkName(o.Issuer); err != nil {
		return nil, err
	}
	serial, err := parseSerial(o.Serial)
	if err != nil {
		return nil, err
	}
	number, err := asn1.Marshal(serial)
	if err != nil {
		return nil, err
	}
	key, err := keyBits(issuerSPKI)
	if err != nil {
		return nil, err
	}
	nameHash, keyHash := sha1.Sum(o.Issuer), sha1.Sum(key)
	status, err := o.status()
	if err != nil {
		return nil, err
	}
	responder, err := asn1.Marshal(keyHash[:])
	if err != nil {
		return nil, err
	}
	sha1OID, err := parseOID("1.3.14.3.2.26")
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(ocspData{
		Responder: asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 2, IsCompound: true, Bytes: responder},
		Produced:  o.ThisUpdate.UTC(),
		Answers: []ocspSingle{{
			ID: ocspCertID{
				Hash:     pkix.AlgorithmIdentifier{Algorithm: sha1OID, Parameters: asn1.NullRawValue},
				NameHash: nameHash[:], KeyHash: keyHash[:], Serial: asn1.RawValue{FullBytes: number},
			},
			Status: status, ThisUpdate: o.ThisUpdate.UTC(), NextUpdate: o.NextUpdate.UTC(),
		}},
	})
}

// status is good, or revoked since when and why.
func (o *OCSP) status() (asn1.RawValue, error) {
	if o.Revoked == nil {
		return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0}, nil
	}
	if !knownReason(o.Revoked.Reason) {
		return asn1.RawValue{}, fmt.Errorf("%d is not a reason", o.Revoked.Reason)
	}
	var value []byte
	var err error
	if o.Revoked.Reason == 0 {
		value, err = asn1.Marshal(struct {
			Time time.Time `asn1:"generalized"`
		}{o.Revoked.Date.UTC()})
	} else {
		value, err = asn1.Marshal(struct {
			Time   time.Time       `asn1:"generalized"`
			Reason asn1.Enumerated `asn1:"explicit,tag:0"`
		}{o.Revoked.Date.UTC(), asn1.Enumerated(o.Revoked.Reason)})
	}
	if err != nil {
		return asn1.RawValue{}, err
	}
	var sequence asn1.RawValue
	if _, err := asn1.Unmarshal(value, &sequence); err != nil {
		return asn1.RawValue{}, err
	}
	return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 1, IsCompound: true, Bytes: sequence.Bytes}, nil
}

// keyBits gives the bit string of a SubjectPublicKeyInfo, which OCSP hashes.
func keyBits(spki []byte) ([]byte, error) {
	var key struct {
		Algorithm asn1.RawValue
		Key       asn1.BitString
	}
	if rest, err := asn1.Unmarshal(spki, &key); err != nil || len(rest) > 0 {
		return nil, errors.Join(errors.New("not a public key"), err)
	}
	return key.Key.Bytes, nil
}

const oidOCSPBasic = "1.3.6.1.5.5.7.48.1.1"

// OCSPResponse puts a BasicOCSPResponse into its envelope (RFC 6960 §4.2.1):
// successful.
func OCSPResponse(basic []byte) ([]byte, error) {
	id, err := parseOID(oidOCSPBasic)
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(struct {
		Status asn1.Enumerated
		Bytes  struct {
			Type asn1.ObjectIdentifier
			Data []byte
		} `asn1:"explicit,tag:0"`
	}{Bytes: struct {
		Type asn1.ObjectIdentifier
		Data []byte
	}{id, basic}})
}

// SplitOCSP gives the signed part and the signature of a response.
func SplitOCSP(der []byte) (data, signature []byte, err error) {
	var outer struct {
		Status asn1.Enumerated
		Bytes  struct {
			Type asn1.ObjectIdentifier
			Data []byte
		} `asn1:"explicit,tag:0"`
	}
	if rest, err := asn1.Unmarshal(der, &outer); err != nil || len(rest) > 0 || outer.Status != 0 || outer.Bytes.Type.String() != oidOCSPBasic {
		return nil, nil, errors.Join(errors.New("not a successful OCSP response"), err)
	}
	var basic struct {
		Data      asn1.RawValue
		Algorithm asn1.RawValue
		Signature asn1.BitString
	}
	if rest, err := asn1.Unmarshal(outer.Bytes.Data, &basic); err != nil || len(rest) > 0 {
		return nil, nil, errors.Join(errors.New("not a basic OCSP response"), err)
	}
	return basic.Data.FullBytes, basic.Signature.Bytes, nil
}
