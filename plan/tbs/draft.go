package tbs

import (
	"bytes"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"

	"filippo.io/mldsa"

	"pki.internal/spec"
)

// Draft puts a signature of the right form, but of no key, behind the bytes,
// so that a linter can judge what is not yet signed. No verifier accepts it.
func Draft(tbs []byte, a spec.Algorithm) ([]byte, error) {
	size := map[spec.Algorithm]int{
		spec.RSA3072: 384, spec.RSA4096: 512, spec.Ed25519: 64,
		spec.MLDSA44: mldsa.MLDSA44SignatureSize, spec.MLDSA65: mldsa.MLDSA65SignatureSize, spec.MLDSA87: mldsa.MLDSA87SignatureSize,
	}[a.KeyType()]
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

	fieldOrder = "order of extensions"
)

type namedField struct {
	name  string
	value []byte
}

// fields splits a TBS structure into its members. It leaves no byte out and
// takes no name twice, so that two structures with equal fields are equal.
func fields(der []byte) ([]namedField, error) {
	var outer asn1.RawValue
	rest, err := asn1.Unmarshal(der, &outer)
	if err != nil || len(rest) > 0 || !isSequence(outer) {
		return nil, errNotTBS
	}
	var names []string
	var extensionsTag int
	switch { // by the version, which a certificate tags and a list does not
	case bytes.HasPrefix(outer.Bytes, []byte{0xa0}):
		names, extensionsTag = []string{"version", "serialNumber", "signature", "issuer", "validity", "subject", FieldPublicKey}, 3
	case bytes.HasPrefix(outer.Bytes, []byte{asn1.TagInteger}):
		names, extensionsTag = []string{"version", "signature", "issuer", "thisUpdate", "nextUpdate", "revokedCertificates"}, 0
	default:
		return nil, errNotTBS
	}
	var all []namedField
	for rest = outer.Bytes; len(rest) > 0; {
		var member asn1.RawValue
		if rest, err = asn1.Unmarshal(rest, &member); err != nil {
			return nil, errNotTBS
		}
		if len(all) > 0 && member.Class == asn1.ClassContextSpecific {
			if member.Tag != extensionsTag || !member.IsCompound || len(rest) > 0 {
				return nil, errNotTBS
			}
			extensions, err := extensionFields(member.Bytes)
			return append(all, extensions...), err
		}
		if len(all) == len(names) {
			return nil, errNotTBS
		}
		all = append(all, namedField{names[len(all)], member.FullBytes})
	}
	return all, nil
}

var errNotTBS = errors.New("not a TBSCertificate or TBSCertList in DER")

func extensionFields(der []byte) ([]namedField, error) {
	var list []asn1.RawValue
	if rest, err := asn1.Unmarshal(der, &list); err != nil || len(rest) > 0 {
		return nil, errNotTBS
	}
	all := make([]namedField, 0, len(list)+1)
	order := ""
	for _, e := range list {
		var oid asn1.ObjectIdentifier
		if _, err := asn1.Unmarshal(e.Bytes, &oid); err != nil || !isSequence(e) {
			return nil, errNotTBS
		}
		name := "extension " + oid.String()
		// RFC 5280 §4.2: a certificate must not include an extension twice.
		if slices.ContainsFunc(all, func(f namedField) bool { return f.name == name }) {
			return nil, fmt.Errorf("%s stands twice", name)
		}
		order += oid.String() + " "
		all = append(all, namedField{name, e.FullBytes})
	}
	return append(all, namedField{fieldOrder, []byte(order)}), nil
}
