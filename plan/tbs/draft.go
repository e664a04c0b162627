package tbs

import (
	"bytes"
	"encoding/asn1"
	"fmt"
	"slices"

	"pki.internal/spec"
)

// Draft puts a signature of the right form, but of no key, behind the bytes,
// so that a linter can judge what is not yet signed. No verifier accepts it.
func Draft(tbs []byte, a spec.Algorithm) ([]byte, error) {
	size := map[spec.Algorithm]int{spec.RSA3072: 384, spec.RSA4096: 512, spec.Ed25519: 64}[a]
	signature := bytes.Repeat([]byte{0x55}, size)
	if size == 0 {
		half := map[spec.Algorithm]int{spec.ECDSAP256: 32, spec.ECDSAP384: 48, spec.ECDSAP521: 65}[a]
		number := asn1.RawValue{Tag: asn1.TagInteger, Bytes: bytes.Repeat([]byte{0x55}, half)}
		var err error
		if signature, err = asn1.Marshal([]asn1.RawValue{number, number}); err != nil {
			return nil, err
		}
	}
	return Assemble(tbs, a, signature)
}

// Differences names the fields in which two TBSCertificates or two
// TBSCertLists differ, extensions by their OID, in the order of a. It reads
// the bytes and not the templates, so it also finds what a builder got wrong.
func Differences(a, b []byte) ([]string, error) {
	left, err := fields(a)
	if err != nil {
		return nil, err
	}
	right, err := fields(b)
	if err != nil {
		return nil, err
	}
	var differ []string
	for _, f := range left {
		i := slices.IndexFunc(right, func(other namedField) bool { return other.name == f.name })
		if i < 0 || !bytes.Equal(f.value, right[i].value) {
			differ = append(differ, f.name)
		}
	}
	for _, f := range right {
		if !slices.ContainsFunc(left, func(other namedField) bool { return other.name == f.name }) {
			differ = append(differ, f.name)
		}
	}
	return differ, nil
}

// Names of the fields that a template may leave open, as Differences gives
// them.
const (
	FieldPublicKey      = "subjectPublicKeyInfo"
	FieldSubjectKeyID   = "extension " + oidSubjectKeyID
	FieldAuthorityKeyID = "extension " + oidAuthorityKeyID
)

type namedField struct {
	name  string
	value []byte
}

// fields splits a TBS structure into its members.
func fields(der []byte) ([]namedField, error) {
	var outer asn1.RawValue
	rest, err := asn1.Unmarshal(der, &outer)
	if err != nil || len(rest) > 0 || outer.Tag != asn1.TagSequence {
		return nil, fmt.Errorf("not a TBS structure: %v", err)
	}
	names := []string{"version", "serialNumber", "signature", "issuer", "validity", "subject", FieldPublicKey}
	if len(outer.Bytes) > 0 && outer.Bytes[0] == asn1.TagInteger {
		names = []string{"version", "signature", "issuer", "thisUpdate", "nextUpdate", "revokedCertificates"}
	}
	var all []namedField
	for rest = outer.Bytes; len(rest) > 0; {
		var member asn1.RawValue
		if rest, err = asn1.Unmarshal(rest, &member); err != nil {
			return nil, fmt.Errorf("not a TBS structure: %w", err)
		}
		if len(all) > 0 && member.Class == asn1.ClassContextSpecific {
			extensions, err := extensionFields(member.Bytes)
			if err != nil {
				return nil, err
			}
			return append(all, extensions...), nil
		}
		name := fmt.Sprintf("field %d", len(all)+1)
		if len(all) < len(names) {
			name = names[len(all)]
		}
		all = append(all, namedField{name, member.FullBytes})
	}
	return all, nil
}

func extensionFields(der []byte) ([]namedField, error) {
	var list []asn1.RawValue
	if _, err := asn1.Unmarshal(der, &list); err != nil {
		return nil, fmt.Errorf("extensions: %w", err)
	}
	all := make([]namedField, 0, len(list)+1)
	order := ""
	for _, e := range list {
		var oid asn1.ObjectIdentifier
		if _, err := asn1.Unmarshal(e.Bytes, &oid); err != nil {
			return nil, fmt.Errorf("extensions: %w", err)
		}
		order += oid.String() + " "
		all = append(all, namedField{"extension " + oid.String(), e.FullBytes})
	}
	return append(all, namedField{"order of extensions", []byte(order)}), nil
}
