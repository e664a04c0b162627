package main

import (
	"encoding/asn1"
	"fmt"
	"strings"
)

// policies says which policies a certificate names, with their qualifiers
// (RFC 5280 §4.2.1.4).
func policies(der []byte) string {
	var all []struct {
		Policy     asn1.ObjectIdentifier
		Qualifiers []struct {
			ID    asn1.ObjectIdentifier
			Value asn1.RawValue
		} `asn1:"optional"`
	}
	if rest, err := asn1.Unmarshal(der, &all); err != nil || len(rest) > 0 {
		return fmt.Sprintf("not policies: %x", der)
	}
	var words []string
	for _, p := range all {
		word := p.Policy.String()
		if word == "2.5.29.32.0" {
			word = "any policy"
		}
		for _, q := range p.Qualifiers {
			switch q.ID.String() {
			case "1.3.6.1.5.5.7.2.1":
				word += " CPS " + string(q.Value.Bytes)
			case "1.3.6.1.5.5.7.2.2":
				word += " notice " + notice(q.Value.FullBytes)
			default:
				word += fmt.Sprintf(" %s %x", q.ID, q.Value.FullBytes)
			}
		}
		words = append(words, word)
	}
	return strings.Join(words, "; ")
}

// notice gives the text of a user notice; a reference to one is shown as it
// is.
func notice(der []byte) string {
	var parts []asn1.RawValue
	if _, err := asn1.Unmarshal(der, &parts); err == nil && len(parts) == 1 && parts[0].Tag != asn1.TagSequence {
		return fmt.Sprintf("%q", parts[0].Bytes)
	}
	return fmt.Sprintf("%x", der)
}

// directoryConstraints lists the names that name constraints permit and
// exclude, which crypto/x509 leaves out (RFC 5280 §4.2.1.10).
func directoryConstraints(der []byte) (permitted, excluded []string) {
	var constraints struct {
		Permitted []struct {
			Base asn1.RawValue
			Min  int `asn1:"tag:0,optional"`
			Max  int `asn1:"tag:1,optional"`
		} `asn1:"tag:0,optional"`
		Excluded []struct {
			Base asn1.RawValue
			Min  int `asn1:"tag:0,optional"`
			Max  int `asn1:"tag:1,optional"`
		} `asn1:"tag:1,optional"`
	}
	if _, err := asn1.Unmarshal(der, &constraints); err != nil {
		return nil, nil // the other names have been shown, as far as they could be read
	}
	const directory = 4 // GeneralName's tag
	for _, s := range constraints.Permitted {
		if s.Base.Tag == directory {
			permitted = append(permitted, nameOf(s.Base.Bytes))
		}
	}
	for _, s := range constraints.Excluded {
		if s.Base.Tag == directory {
			excluded = append(excluded, nameOf(s.Base.Bytes))
		}
	}
	return permitted, excluded
}
