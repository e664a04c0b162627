package lint

import (
	"bytes"
	"crypto/sha256"
	"encoding/asn1"
	"fmt"
	"slices"
)

// requestContentRules are about what a request asks for, and whether it is the
// right one.
func requestContentRules() []Rule {
	return []Rule{{
		ID: "e_csr_key_is_ours", Severity: Error, Object: ObjectCSR,
		Title:     "the request brings a key that no authority has yet",
		Harm:      "the wrong file was carried in: the root would have certified itself as its own child",
		Citation:  "NIST SP 800-57 part 1 rev. 5 §5.2",
		Effective: sp80057,
		Advice:    "find out which file was carried in; a renewal under the same key has to be declared as one",
		applies:   func(o *object) bool { return len(o.csr.given.OtherKeys) > 0 },
		check: func(o *object) []string {
			var details []string
			for _, other := range o.csr.given.OtherKeys {
				if bytes.Equal(other.SPKI, o.csr.RawSubjectPublicKeyInfo) {
					details = append(details, fmt.Sprintf("the key is already that of %s", other.Owner))
				}
			}
			return details
		},
	}, {
		ID: "w_csr_asks_more_than_profile", Severity: Warn, Object: ObjectCSR,
		Title:     "the request asks for nothing that the estate does not give",
		Harm:      "copy_extensions = copyall in openssl ca: who asked for an authority got one",
		Citation:  "RFC 2985 §5.4.2; RFC 2986 §3",
		Effective: rfc2986,
		Advice:    "tell whoever made the request: the certificate will say what the estate says, and may disappoint",
		applies:   func(o *object) bool { return o.csr.given.Grant != nil },
		check:     checkAsked,
	}, {
		ID: "e_csr_hash_not_in_plan", Severity: Error, Object: ObjectCSR,
		Title:     "the request is the one that was approved, byte for byte",
		Harm:      "a request that was swapped between approval and ceremony",
		Citation:  "CABF BR §6.1.1.1",
		Effective: rfc2986,
		Advice:    "stop: the request was exchanged between approval and ceremony; plan again with the right one",
		applies:   func(o *object) bool { return o.csr.given.Approved != [sha256.Size]byte{} },
		check: func(o *object) []string {
			if sum := sha256.Sum256(o.csr.given.DER); sum != o.csr.given.Approved {
				return []string{fmt.Sprintf("the request's SHA-256 is %x, and %x was approved", sum, o.csr.given.Approved)}
			}
			return nil
		},
	}, {
		ID: "e_csr_subject_encoding_lossy", Severity: Error, Object: ObjectCSR,
		Title:     "the subject can be copied into a certificate as it is encoded",
		Harm:      "a name that differs between request and certificate, and breaks what compares them",
		Citation:  "RFC 5280 §4.1.2.4, §4.1.2.6",
		Effective: rfc5280,
		Advice:    "ask for a request whose name is in PrintableString or UTF8String, without empty parts",
		applies:   always,
		check:     checkSubjectEncoding,
	}}
}

// checkAsked compares the extensions that are asked for with those granted.
func checkAsked(o *object) []string {
	grant := o.csr.given.Grant
	var details []string
	for _, e := range o.csr.Extensions {
		switch e.Id.String() {
		case "2.5.29.19":
			details = append(details, askedConstraints(e.Value, grant)...)
		case "2.5.29.37":
			var asked []asn1.ObjectIdentifier
			if _, err := asn1.Unmarshal(e.Value, &asked); err != nil {
				details = append(details, "asks for an extended key usage that cannot be read")
			}
			for _, oid := range asked {
				if !slices.Contains(grant.ExtendedKeyUsage, oid.String()) {
					details = append(details, fmt.Sprintf("asks for the extended key usage %s", oid))
				}
			}
		}
	}
	names := slices.Concat(o.csr.DNSNames, o.csr.EmailAddresses)
	for _, ip := range o.csr.IPAddresses {
		names = append(names, ip.String())
	}
	for _, u := range o.csr.URIs {
		names = append(names, u.String())
	}
	for _, name := range names {
		if !slices.Contains(grant.Names, name) {
			details = append(details, fmt.Sprintf("asks for the name %q", name))
		}
	}
	return details
}

// askedConstraints compares the basic constraints that are asked for.
func askedConstraints(value []byte, grant *Grant) []string {
	asked := struct {
		CA         bool `asn1:"optional"`
		PathLength int  `asn1:"optional,default:-1"`
	}{}
	if _, err := asn1.Unmarshal(value, &asked); err != nil {
		return []string{"asks for basic constraints that cannot be read"}
	}
	switch {
	case asked.CA && !grant.Authority:
		return []string{"asks to be an authority"}
	case asked.CA && grant.PathLength >= 0 && asked.PathLength < 0:
		return []string{fmt.Sprintf("asks for no path length, and gets %d", grant.PathLength)}
	case asked.CA && grant.PathLength >= 0 && asked.PathLength > grant.PathLength:
		return []string{fmt.Sprintf("asks for the path length %d, and gets %d", asked.PathLength, grant.PathLength)}
	}
	return nil
}

// checkSubjectEncoding looks for encodings that a certificate should not have,
// so that somebody would encode the name again.
func checkSubjectEncoding(o *object) []string {
	var rdns []asn1.RawValue
	if _, err := asn1.Unmarshal(o.csr.RawSubject, &rdns); err != nil {
		return nil // Go has read the name, so this does not happen
	}
	var details []string
	for i, rdn := range rdns {
		attributes := 0
		for rest := rdn.Bytes; len(rest) > 0; attributes++ {
			var a struct {
				Type  asn1.ObjectIdentifier
				Value asn1.RawValue
			}
			var err error
			if rest, err = asn1.Unmarshal(rest, &a); err != nil {
				break
			}
			if fault := lossy(a.Value); fault != "" {
				details = append(details, fmt.Sprintf("part %d of the subject (%s) is %s", i+1, a.Type, fault))
			}
		}
		if attributes == 0 {
			details = append(details, fmt.Sprintf("part %d of the subject has no attribute", i+1))
		}
	}
	return details
}

// lossy says what is wrong with the encoding of an attribute's value, or
// nothing.
func lossy(value asn1.RawValue) string {
	const teletex, universal = 20, 28
	switch {
	case value.Class != asn1.ClassUniversal:
		return "of a private type"
	case value.Tag == teletex:
		return "a TeletexString"
	case value.Tag == universal:
		return "a UniversalString"
	case value.Tag == asn1.TagBMPString:
		return "a BMPString"
	case len(value.Bytes) == 0:
		return "empty"
	case bytes.IndexByte(value.Bytes, 0) >= 0:
		return "text with a NUL"
	}
	return ""
}
