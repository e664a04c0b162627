package lint

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"slices"
	"strings"
)

// directoryFence is the constraints on directory names, each as its RDNs. Go
// does not read them.
type directoryFence struct{ permitted, excluded [][][]byte }

// readDirectoryFence reads the directory names of a certificate's name
// constraints (RFC 5280 §4.2.1.10).
func readDirectoryFence(c *x509.Certificate) directoryFence {
	const directoryName = 4
	var fence directoryFence
	i := slices.IndexFunc(c.Extensions, func(e pkix.Extension) bool { return e.Id.String() == nameConstraintsOID })
	if i < 0 {
		return fence
	}
	groups, _ := inside(c.Extensions[i].Value)
	for _, group := range groups {
		if group.Class != asn1.ClassContextSpecific || group.Tag > 1 {
			continue
		}
		for rest := group.Bytes; len(rest) > 0; {
			var subtree, base asn1.RawValue
			var err error
			if rest, err = asn1.Unmarshal(rest, &subtree); err != nil {
				break
			}
			if _, err := asn1.Unmarshal(subtree.Bytes, &base); err != nil || base.Class != asn1.ClassContextSpecific || base.Tag != directoryName {
				continue
			}
			if group.Tag == 0 {
				fence.permitted = append(fence.permitted, rdnsOf(base.Bytes))
			} else {
				fence.excluded = append(fence.excluded, rdnsOf(base.Bytes))
			}
		}
	}
	return fence
}

// rdnsOf takes a Name apart, each RDN written so that equal ones are equal.
func rdnsOf(name []byte) [][]byte {
	parts, _ := inside(name)
	var all [][]byte
	for _, part := range parts {
		all = append(all, foldedRDN(part))
	}
	return all
}

// foldedRDN makes RDNs equal whose values differ in the kind of string, in case
// or in white space only (RFC 5280 §7.1).
func foldedRDN(rdn asn1.RawValue) []byte {
	var attributes []string
	for rest := rdn.Bytes; len(rest) > 0; {
		var attribute struct {
			Type  asn1.ObjectIdentifier
			Value asn1.RawValue
		}
		var err error
		if rest, err = asn1.Unmarshal(rest, &attribute); err != nil {
			return rdn.FullBytes
		}
		attributes = append(attributes, attribute.Type.String()+"="+foldedName(string(attribute.Value.Bytes)))
	}
	slices.Sort(attributes)
	return []byte(strings.Join(attributes, "+"))
}

// checkInsideDirectory holds the subject against constraints on directory
// names. An empty subject has no such name.
func checkInsideDirectory(c, issuer *x509.Certificate, whose string) []string {
	fence := readDirectoryFence(issuer)
	if len(fence.permitted)+len(fence.excluded) == 0 || len(c.Subject.Names) == 0 {
		return nil
	}
	subject := rdnsOf(c.RawSubject)
	within := func(base [][]byte) bool {
		return len(base) <= len(subject) && slices.EqualFunc(base, subject[:len(base)], bytes.Equal)
	}
	switch {
	case slices.ContainsFunc(fence.excluded, within):
		return []string{fmt.Sprintf("the subject %q is excluded by %s name constraints", c.Subject, whose)}
	case len(fence.permitted) > 0 && !slices.ContainsFunc(fence.permitted, within):
		return []string{fmt.Sprintf("the subject %q is outside of %s name constraints", c.Subject, whose)}
	}
	return nil
}
