package spec

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Name is a distinguished name: attributes in the order in which they are
// encoded, one to an RDN.
type Name []NameAttribute

// NameAttribute is one attribute of a name.
type NameAttribute struct {
	Type  string // HCL's word: common_name, organization …
	Value string
}

// nameType describes one attribute type: its object identifier and the upper
// bound of its value in characters (RFC 5280 appendix A.1, X.520).
type nameType struct {
	Word, Short, OID string
	Max              int
}

// nameTypes is the order in which a name is encoded, from the widest scope to
// the narrowest.
func nameTypes() []nameType {
	return []nameType{
		{"country", "C", "2.5.4.6", 2},
		{"province", "ST", "2.5.4.8", 128},
		{"locality", "L", "2.5.4.7", 128},
		{"street_address", "STREET", "2.5.4.9", 128},
		{"postal_code", "POSTALCODE", "2.5.4.17", 40},
		{"organization", "O", "2.5.4.10", 64},
		{"organizational_unit", "OU", "2.5.4.11", 64},
		{"serial_number", "SERIALNUMBER", "2.5.4.5", 64},
		{"common_name", "CN", "2.5.4.3", 64},
	}
}

func typeOf(word string) (nameType, bool) {
	for _, t := range nameTypes() {
		if t.Word == word {
			return t, true
		}
	}
	return nameType{}, false
}

// OID gives the attribute type's object identifier, "" for an unknown type.
func (a NameAttribute) OID() string {
	t, _ := typeOf(a.Type)
	return t.OID
}

// NewName puts values by type into encoding order. Types of own replace those
// of defaults, so that an authority can override the estate's subject.
func NewName(own, defaults map[string][]string) Name {
	var name Name
	for _, t := range nameTypes() {
		values := own[t.Word]
		if len(values) == 0 {
			values = defaults[t.Word]
		}
		for _, v := range values {
			name = append(name, NameAttribute{Type: t.Word, Value: v})
		}
	}
	return name
}

// Check reports the first value that cannot be encoded.
func (n Name) Check() error {
	for _, a := range n {
		t, known := typeOf(a.Type)
		size := utf8.RuneCountInString(a.Value)
		switch {
		case !known:
			return fmt.Errorf("%s is not a name attribute", a.Type)
		case size == 0:
			return fmt.Errorf("%s is empty; leave the attribute out instead", a.Type)
		case !utf8.ValidString(a.Value) || strings.ContainsFunc(a.Value, invisible):
			return fmt.Errorf("%s %q contains a control, direction or replacement character", a.Type, a.Value)
		case strings.TrimSpace(a.Value) != a.Value:
			return fmt.Errorf("%s %q begins or ends with a space", a.Type, a.Value)
		case a.Type == "country" && !isCountry(a.Value):
			return fmt.Errorf("country %q is not a two-letter code in capitals, such as \"DE\" (ISO 3166)", a.Value)
		case size > t.Max:
			return fmt.Errorf("%s has %d characters, and X.520 allows %d", a.Type, size, t.Max)
		case a.Type == "serial_number" && strings.ContainsFunc(a.Value, notPrintable):
			return fmt.Errorf("serial_number %q is not of letters, digits, spaces and '()+,-./:=? alone (X.520 §6.2.9)", a.Value)
		}
	}
	return nil
}

// invisible reports characters that no one sees, or that make a name on the
// screen read otherwise than its bytes (Unicode TR 36 §2.7).
func invisible(r rune) bool {
	return unicode.IsControl(r) || r == utf8.RuneError || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
}

// notPrintable reports characters outside PrintableString.
func notPrintable(r rune) bool {
	letter := r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9'
	return !letter && !strings.ContainsRune(" '()+,-./:=?", r)
}

func isCountry(s string) bool {
	return len(s) == 2 && s[0] >= 'A' && s[0] <= 'Z' && s[1] >= 'A' && s[1] <= 'Z'
}

// Value gives the first value of a type, "" when there is none.
func (n Name) Value(word string) string {
	for _, a := range n {
		if a.Type == word {
			return a.Value
		}
	}
	return ""
}

// String gives the RFC 4514 form, the narrowest attribute first.
func (n Name) String() string {
	parts := make([]string, 0, len(n))
	for i := len(n) - 1; i >= 0; i-- {
		t, _ := typeOf(n[i].Type)
		parts = append(parts, t.Short+"="+escapeRDN(n[i].Value))
	}
	return strings.Join(parts, ",")
}

func escapeRDN(s string) string {
	var b strings.Builder
	for i, r := range s {
		if strings.ContainsRune(`,+"\<>;=`, r) || (i == 0 && (r == '#' || r == ' ')) || (i == len(s)-1 && r == ' ') {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
