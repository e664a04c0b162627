package tbs

import (
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"net/netip"

	"pki.internal/spec"
)

// Object identifiers of the extensions that this package writes.
const (
	oidSubjectKeyID     = "2.5.29.14"
	oidKeyUsage         = "2.5.29.15"
	oidBasicConstraints = "2.5.29.19"
	oidCRLNumber        = "2.5.29.20"
	oidIDP              = "2.5.29.28"
	oidNameConstraints  = "2.5.29.30"
	oidCDP              = "2.5.29.31"
	oidAuthorityKeyID   = "2.5.29.35"
	oidExtKeyUsage      = "2.5.29.37"
	oidAIA              = "1.3.6.1.5.5.7.1.1"
	oidCAIssuers        = "1.3.6.1.5.5.7.48.2"
	oidOCSP             = "1.3.6.1.5.5.7.48.1"
	oidPolicies         = "2.5.29.32"
	oidSubjectAltName   = "2.5.29.17"
)

// EncodeName gives a name in DER (RFC 5280 §4.1.2.4). Attributes of one RDN
// are sorted, as DER wants a SET OF to be (X.690 §11.6).
func EncodeName(n spec.Name) ([]byte, error) {
	type attribute struct {
		Type  asn1.ObjectIdentifier
		Value asn1.RawValue
	}
	type rdnSET []attribute
	rdns := []rdnSET{}
	for _, a := range n {
		oid, err := parseOID(a.OID())
		if err != nil {
			return nil, fmt.Errorf("name attribute %q: %w", a.Type, err)
		}
		one := attribute{oid, asn1.RawValue{Tag: stringTag(a), Bytes: []byte(a.Value)}}
		if a.Joins && len(rdns) > 0 {
			rdns[len(rdns)-1] = append(rdns[len(rdns)-1], one)
			continue
		}
		rdns = append(rdns, rdnSET{one})
	}
	return asn1.Marshal(rdns)
}

// stringTag is PrintableString where the type asks for it or the characters
// allow it, IA5String where the type asks for that, and UTF8String otherwise.
func stringTag(a spec.NameAttribute) int {
	switch {
	case a.Syntax() == spec.IA5String:
		return asn1.TagIA5String
	case a.Syntax() == spec.PrintableString || spec.IsPrintableString(a.Value):
		return asn1.TagPrintableString
	}
	return asn1.TagUTF8String
}

// OpenSubjectKeyID is the subject key identifier of a key yet to come.
func OpenSubjectKeyID() Extension { return Extension{OID: oidSubjectKeyID, Open: SubjectKeyID} }

// FixedSubjectKeyID is the subject key identifier that a key has already.
func FixedSubjectKeyID(id []byte) (Extension, error) {
	value, err := asn1.Marshal(id)
	return Extension{OID: oidSubjectKeyID, Value: value}, err
}

// OpenAuthorityKeyID is the authority key identifier of an issuer whose key
// is yet to come.
func OpenAuthorityKeyID() Extension { return Extension{OID: oidAuthorityKeyID, Open: AuthorityKeyID} }

// FixedAuthorityKeyID is the authority key identifier of a known issuer.
func FixedAuthorityKeyID(issuerID []byte) (Extension, error) {
	value, err := authorityKeyID(issuerID)
	return Extension{OID: oidAuthorityKeyID, Value: value}, err
}

// authorityKeyID holds the key identifier alone: issuer and serial would tie
// children to one certificate of a key (RFC 5280 §4.2.1.1).
func authorityKeyID(id []byte) ([]byte, error) {
	return asn1.Marshal(struct {
		ID []byte `asn1:"tag:0"`
	}{id})
}

// KeyUsageCA is keyCertSign and cRLSign, critical (RFC 5280 §4.2.1.3).
func KeyUsageCA() (Extension, error) {
	const keyCertSign, cRLSign = 1 << 2, 1 << 1 // bits 5 and 6 of the first octet
	value, err := asn1.Marshal(asn1.BitString{Bytes: []byte{keyCertSign | cRLSign}, BitLength: 7})
	return Extension{OID: oidKeyUsage, Critical: true, Value: value}, err
}

// BasicConstraintsCA marks a CA that may have pathLen CAs below it
// (RFC 5280 §4.2.1.9).
func BasicConstraintsCA(pathLen int) (Extension, error) {
	value, err := asn1.Marshal(struct {
		IsCA    bool
		PathLen int
	}{true, pathLen})
	return Extension{OID: oidBasicConstraints, Critical: true, Value: value}, err
}

// ExtKeyUsage lists what certificates below a CA may be for.
func ExtKeyUsage(usages []spec.ExtKeyUsage) (Extension, error) {
	oids := make([]asn1.ObjectIdentifier, 0, len(usages))
	for _, u := range usages {
		oid, err := parseOID(u.OID())
		if err != nil {
			return Extension{}, fmt.Errorf("extended key usage %q: %w", u, err)
		}
		oids = append(oids, oid)
	}
	value, err := asn1.Marshal(oids)
	return Extension{OID: oidExtKeyUsage, Value: value}, err
}

// KeyUsageResponder is digitalSignature alone, critical (RFC 5280 §4.2.1.3).
func KeyUsageResponder() (Extension, error) {
	const digitalSignature = 1 << 7
	value, err := asn1.Marshal(asn1.BitString{Bytes: []byte{digitalSignature}, BitLength: 1})
	return Extension{OID: oidKeyUsage, Critical: true, Value: value}, err
}

// OCSPSigning is the extended key usage of a responder, and of nobody else
// (RFC 6960 §4.2.2.2).
func OCSPSigning() (Extension, error) {
	value, err := asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 9}})
	return Extension{OID: oidExtKeyUsage, Value: value}, err
}

// OCSPNoCheck tells clients not to ask a responder about itself
// (RFC 6960 §4.2.2.2.1).
func OCSPNoCheck() Extension {
	return Extension{OID: "1.3.6.1.5.5.7.48.1.5", Value: asn1.NullBytes}
}

// distributionPointName is fullName with URIs (RFC 5280 §4.2.1.13).
type distributionPointName struct {
	FullName []asn1.RawValue `asn1:"tag:0"`
}

func uris(urls []string) []asn1.RawValue {
	names := make([]asn1.RawValue, 0, len(urls))
	for _, u := range urls {
		names = append(names, generalName(tagURI, []byte(u)))
	}
	return names
}

// GeneralName tags of RFC 5280 §4.2.1.6.
const (
	tagEmail     = 1
	tagDNS       = 2
	tagDirectory = 4
	tagURI       = 6
	tagIP        = 7
)

func generalName(tag int, value []byte) asn1.RawValue {
	return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: tag, Bytes: value}
}

// CRLDistributionPoints says where the issuer's CRL is. Several URLs are
// several places of one list, so they share one distribution point.
func CRLDistributionPoints(urls []string) (Extension, error) {
	type point struct {
		Name distributionPointName `asn1:"tag:0"`
	}
	value, err := asn1.Marshal([]point{{distributionPointName{uris(urls)}}})
	return Extension{OID: oidCDP, Value: value}, err
}

// IssuingDistributionPoint says which certificates a CRL speaks for, in the
// very words of their distribution points (RFC 5280 §5.2.5). Without URLs it
// names no distribution point; it must say something, so then onlyCACerts must
// be true.
func IssuingDistributionPoint(urls []string, onlyCACerts bool) (Extension, error) {
	if len(urls) == 0 && !onlyCACerts {
		return Extension{}, errors.New("an issuing distribution point that says nothing is not allowed (RFC 5280 §5.2.5)")
	}
	var value []byte
	var err error
	if len(urls) == 0 {
		value, err = asn1.Marshal(struct {
			OnlyCACerts bool `asn1:"tag:2"`
		}{true})
	} else {
		value, err = asn1.Marshal(struct {
			Name        distributionPointName `asn1:"tag:0"`
			OnlyCACerts bool                  `asn1:"tag:2,optional"`
		}{distributionPointName{uris(urls)}, onlyCACerts})
	}
	return Extension{OID: oidIDP, Critical: true, Value: value}, err
}

// AuthorityInfoAccess says where the issuer's certificate is, and where its
// OCSP responder (RFC 5280 §4.2.2.1).
func AuthorityInfoAccess(caIssuers []string, ocsp ...string) (Extension, error) {
	type description struct {
		Method   asn1.ObjectIdentifier
		Location asn1.RawValue
	}
	var places []description
	method, err := parseOID(oidCAIssuers)
	if err != nil {
		return Extension{}, err
	}
	for _, location := range uris(caIssuers) {
		places = append(places, description{method, location})
	}
	if method, err = parseOID(oidOCSP); err != nil {
		return Extension{}, err
	}
	for _, location := range uris(ocsp) {
		places = append(places, description{method, location})
	}
	value, err := asn1.Marshal(places)
	return Extension{OID: oidAIA, Value: value}, err
}

// NameConstraints encodes what names certificates below may carry
// (RFC 5280 §4.2.1.10).
func NameConstraints(n *spec.NameConstraints) (Extension, error) {
	permitted, err := subtrees(n.PermittedDNS, n.PermittedIP, n.PermittedEmail, n.PermittedURI, n.PermittedDirectory)
	if err != nil {
		return Extension{}, err
	}
	excluded, err := subtrees(n.ExcludedDNS, n.ExcludedIP, n.ExcludedEmail, n.ExcludedURI, n.ExcludedDirectory)
	if err != nil {
		return Extension{}, err
	}
	value, err := asn1.Marshal(struct {
		Permitted []subtree `asn1:"tag:0,optional,omitempty"`
		Excluded  []subtree `asn1:"tag:1,optional,omitempty"`
	}{permitted, excluded})
	return Extension{OID: oidNameConstraints, Critical: n.Critical, Value: value}, err
}

type subtree struct{ Base asn1.RawValue }

// subtrees lists names in the order of crypto/x509, so that the two encode
// the same constraints to the same bytes.

func subtrees(dns, ip, email, uri, directory []string) ([]subtree, error) {
	var all []subtree
	add := func(tag int, values []string) {
		for _, v := range values {
			all = append(all, subtree{generalName(tag, []byte(v))})
		}
	}
	add(tagDNS, dns)
	for _, v := range ip {
		p, err := netip.ParsePrefix(v)
		if err != nil {
			return nil, fmt.Errorf("name constraint %q: %w", v, err)
		}
		all = append(all, subtree{generalName(tagIP, ipAndMask(p))})
	}
	add(tagEmail, email)
	add(tagURI, uri)
	for _, v := range directory {
		name, err := spec.ParseDirectoryName(v)
		if err != nil {
			return nil, fmt.Errorf("name constraint %q: %w", v, err)
		}
		der, err := EncodeName(name)
		if err != nil {
			return nil, err
		}
		all = append(all, subtree{directoryName(der)})
	}
	return all, nil
}

// ipAndMask writes address and mask side by side, 8 or 32 octets.
func ipAndMask(p netip.Prefix) []byte {
	address := p.Masked().Addr().AsSlice()
	mask := make([]byte, len(address))
	for bit := range p.Bits() {
		mask[bit/8] |= 0x80 >> (bit % 8)
	}
	return append(address, mask...)
}

// CRLNumber numbers a CRL (RFC 5280 §5.2.3). number is decimal.
func CRLNumber(number string) (Extension, error) {
	n, ok := new(big.Int).SetString(number, 10)
	if !ok || n.Sign() <= 0 || n.BitLen() > maxSerialBits || n.String() != number {
		return Extension{}, fmt.Errorf("CRL number %q is not a decimal number between 1 and 2^159-1", number)
	}
	value, err := asn1.Marshal(n)
	return Extension{OID: oidCRLNumber, Value: value}, err
}
