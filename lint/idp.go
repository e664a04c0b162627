package lint

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"
)

// scope is what an issuing distribution point says (RFC 5280 §5.2.5).
type scope struct {
	critical bool
	// broken says that the value cannot be read; nothing else is known then.
	broken bool
	// urls are the URIs of the distribution point; named says whether there is
	// a distribution point at all.
	urls  []string
	named bool
	// The flags.
	onlyUsers, onlyCAs, indirect, onlyAttributes bool
	// someReasons says that the list is not about every reason.
	someReasons bool
}

// Context tags of an issuing distribution point, and of what is in it.
const (
	tagPoint          = 0
	tagOnlyUsers      = 1
	tagOnlyCAs        = 2
	tagSomeReasons    = 3
	tagIndirect       = 4
	tagOnlyAttributes = 5
	tagFullName       = 0
	tagURI            = 6
)

// scope is the list's issuing distribution point, nil when it has none.
func (c *revocationList) scope() *scope {
	id := asn1.ObjectIdentifier{2, 5, 29, 28}
	i := slices.IndexFunc(c.Extensions, func(e pkix.Extension) bool { return e.Id.Equal(id) })
	if i < 0 {
		return nil
	}
	s := readScope(c.Extensions[i].Value)
	s.critical = c.Extensions[i].Critical
	return &s
}

// readScope reads the value of the extension.
func readScope(value []byte) scope {
	var s scope
	var fields []asn1.RawValue
	if rest, err := asn1.Unmarshal(value, &fields); err != nil || len(rest) > 0 {
		return scope{broken: true}
	}
	for _, f := range fields {
		set := len(f.Bytes) == 1 && f.Bytes[0] != 0
		if f.Class != asn1.ClassContextSpecific {
			return scope{broken: true}
		}
		switch f.Tag {
		case tagPoint:
			s.named = true
			s.urls = append(s.urls, pointURLs(f.Bytes)...)
		case tagOnlyUsers:
			s.onlyUsers = set
		case tagOnlyCAs:
			s.onlyCAs = set
		case tagSomeReasons:
			s.someReasons = true
		case tagIndirect:
			s.indirect = set
		case tagOnlyAttributes:
			s.onlyAttributes = set
		}
	}
	return s
}

// pointURLs is the URIs of a distribution point's full name.
func pointURLs(der []byte) []string {
	var urls []string
	var name asn1.RawValue
	if _, err := asn1.Unmarshal(der, &name); err != nil || name.Tag != tagFullName {
		return nil
	}
	for rest := name.Bytes; len(rest) > 0; {
		var general asn1.RawValue
		var err error
		if rest, err = asn1.Unmarshal(rest, &general); err != nil {
			return urls
		}
		if general.Class == asn1.ClassContextSpecific && general.Tag == tagURI {
			urls = append(urls, string(general.Bytes))
		}
	}
	return urls
}

// onlyCACerts says whether the list speaks of authorities alone.
func (c *revocationList) onlyCACerts() bool {
	s := c.scope()
	return s != nil && s.onlyCAs
}
