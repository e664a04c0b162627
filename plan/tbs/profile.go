package tbs

import (
	"encoding/asn1"
	"fmt"
	"net/netip"
	"strings"

	"pki.internal/spec"
)

// Qualifiers of a certificate policy (RFC 5280 §4.2.1.4).
const (
	oidCPS        = "1.3.6.1.5.5.7.2.1"
	oidUserNotice = "1.3.6.1.5.5.7.2.2"
)

// CertificatePolicies lists the policies under which a certificate is issued.
func CertificatePolicies(policies []spec.CertificatePolicy) (Extension, error) {
	type qualifier struct {
		ID    asn1.ObjectIdentifier
		Value asn1.RawValue
	}
	type information struct {
		Policy     asn1.ObjectIdentifier
		Qualifiers []qualifier `asn1:"optional,omitempty"`
	}
	var all []information
	for _, p := range policies {
		oid, err := parseOID(p.OID())
		if err != nil {
			return Extension{}, fmt.Errorf("policy %q: %w", p.Identifier, err)
		}
		one := information{Policy: oid}
		for _, u := range p.CPS {
			id, err := parseOID(oidCPS)
			if err != nil {
				return Extension{}, err
			}
			one.Qualifiers = append(one.Qualifiers, qualifier{id, asn1.RawValue{Tag: asn1.TagIA5String, Bytes: []byte(u)}})
		}
		if p.Notice != "" {
			id, err := parseOID(oidUserNotice)
			if err != nil {
				return Extension{}, err
			}
			notice, err := asn1.Marshal(struct{ Text asn1.RawValue }{asn1.RawValue{Tag: asn1.TagUTF8String, Bytes: []byte(p.Notice)}})
			if err != nil {
				return Extension{}, err
			}
			one.Qualifiers = append(one.Qualifiers, qualifier{id, asn1.RawValue{FullBytes: notice}})
		}
		all = append(all, one)
	}
	value, err := asn1.Marshal(all)
	return Extension{OID: oidPolicies, Value: value}, err
}

// directoryName is a GeneralName that holds a whole name; its tag is explicit,
// because Name is a CHOICE (X.680 §31.2.7).
func directoryName(der []byte) asn1.RawValue {
	return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: tagDirectory, IsCompound: true, Bytes: der}
}

// SubjectAltName holds one name, told by its shape: an address, a URL with
// "://", a mailbox with "@", a directory name with "=", or else a DNS name.
func SubjectAltName(name string) (Extension, error) {
	general := generalName(tagDNS, []byte(name))
	address, err := netip.ParseAddr(name)
	switch {
	case err == nil:
		general = generalName(tagIP, address.AsSlice())
	case strings.Contains(name, "://"):
		general = generalName(tagURI, []byte(name))
	case strings.Contains(name, "="):
		parsed, err := spec.ParseDirectoryName(name)
		if err != nil {
			return Extension{}, err
		}
		der, err := EncodeName(parsed)
		if err != nil {
			return Extension{}, err
		}
		general = directoryName(der)
	case strings.Contains(name, "@"):
		general = generalName(tagEmail, []byte(name))
	}
	value, err := asn1.Marshal([]asn1.RawValue{general})
	return Extension{OID: oidSubjectAltName, Critical: true, Value: value}, err
}
