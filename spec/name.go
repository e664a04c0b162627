package spec

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Name is a distinguished name: attributes in the order in which they are
// encoded.
type Name []NameAttribute

// NameAttribute is one attribute of a name.
type NameAttribute struct {
	Type  string // HCL's word (common_name, organization …), or an object identifier
	Value string
	Joins bool // it stands in one RDN with the attribute before it
}

// Syntax says which characters an attribute takes, and how they are encoded.
type Syntax int

// The syntaxes of name attributes. DirectoryString is PrintableString where
// the characters allow it and UTF8String otherwise (RFC 5280 §4.1.2.4).
const (
	DirectoryString Syntax = iota
	PrintableString
	IA5String
)

// nameType describes one attribute type: its object identifier, the upper
// bound of its value in characters (RFC 5280 appendix A.1, X.520) and its
// syntax.
type nameType struct {
	Word, Short, OID string
	Max              int
	Syntax           Syntax
}

// unbounded is for types to which no standard sets a bound.
const unbounded = 32768 // ub-name of X.520

// nameTable is the order in which a name is encoded, from the widest scope to
// the narrowest. Short names are those of RFC 4514 and OpenSSL.
var nameTable = [...]nameType{
	{"domain_component", "DC", "0.9.2342.19200300.100.1.25", 63, IA5String},
	{"jurisdiction_country", "jurisdictionC", "1.3.6.1.4.1.311.60.2.1.3", 2, PrintableString},
	{"jurisdiction_province", "jurisdictionST", "1.3.6.1.4.1.311.60.2.1.2", 128, DirectoryString},
	{"jurisdiction_locality", "jurisdictionL", "1.3.6.1.4.1.311.60.2.1.1", 128, DirectoryString},
	{"business_category", "businessCategory", "2.5.4.15", 128, DirectoryString},
	{"country", "C", "2.5.4.6", 2, PrintableString},
	{"province", "ST", "2.5.4.8", 128, DirectoryString},
	{"locality", "L", "2.5.4.7", 128, DirectoryString},
	{"street_address", "STREET", "2.5.4.9", 128, DirectoryString},
	{"postal_code", "POSTALCODE", "2.5.4.17", 40, DirectoryString},
	{"post_office_box", "postOfficeBox", "2.5.4.18", 40, DirectoryString},
	{"organization", "O", "2.5.4.10", 64, DirectoryString},
	{"organization_identifier", "organizationIdentifier", "2.5.4.97", unbounded, DirectoryString},
	{"organizational_unit", "OU", "2.5.4.11", 64, DirectoryString},
	{"title", "title", "2.5.4.12", 64, DirectoryString},
	{"description", "description", "2.5.4.13", 1024, DirectoryString},
	{"telephone_number", "telephoneNumber", "2.5.4.20", 32, PrintableString},
	{"serial_number", "SERIALNUMBER", "2.5.4.5", 64, PrintableString},
	{"dn_qualifier", "dnQualifier", "2.5.4.46", 64, PrintableString},
	{"surname", "SN", "2.5.4.4", 64, DirectoryString},
	{"given_name", "GN", "2.5.4.42", 64, DirectoryString},
	{"initials", "initials", "2.5.4.43", 64, DirectoryString},
	{"generation_qualifier", "generationQualifier", "2.5.4.44", 64, DirectoryString},
	{"pseudonym", "pseudonym", "2.5.4.65", 128, DirectoryString},
	{"name", "name", "2.5.4.41", unbounded, DirectoryString},
	{"user_id", "UID", "0.9.2342.19200300.100.1.1", 256, DirectoryString},
	{"common_name", "CN", "2.5.4.3", 64, DirectoryString},
	{"email_address", "emailAddress", "1.2.840.113549.1.9.1", 255, IA5String},
}

func nameTypes() []nameType { return nameTable[:] }

// typeOf finds a type by its word. An object identifier is a type of its own,
// unless it is that of a known one.
func typeOf(word string) (nameType, bool) {
	dotted := ValidOID(word)
	for _, t := range nameTypes() {
		if t.Word == word || dotted && t.OID == word {
			return t, true
		}
	}
	return nameType{Word: word, Short: word, OID: word, Max: unbounded}, dotted
}

// NameWords lists the words of every attribute type, in encoding order.
func NameWords() []string {
	var words []string
	for _, t := range nameTypes() {
		words = append(words, t.Word)
	}
	return words
}

// OID gives the attribute type's object identifier, "" for an unknown type.
func (a NameAttribute) OID() string {
	t, known := typeOf(a.Type)
	if !known {
		return ""
	}
	return t.OID
}

// Syntax says how the attribute's value is encoded.
func (a NameAttribute) Syntax() Syntax {
	t, _ := typeOf(a.Type)
	return t.Syntax
}

// NewName puts values by type into encoding order, one to an RDN. Types of own
// replace those of defaults, so that an authority can override the estate's
// subject.
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
	for i, a := range n {
		t, known := typeOf(a.Type)
		size := utf8.RuneCountInString(a.Value)
		switch {
		case a.Joins && n.repeats(i):
			return fmt.Errorf("%s stands twice in one RDN (X.501 §9.3); write two RDNs", a.Type)
		case !known:
			return fmt.Errorf("%s is not a name attribute", a.Type)
		case size == 0:
			return fmt.Errorf("%s is empty; leave the attribute out instead", a.Type)
		case !utf8.ValidString(a.Value) || strings.ContainsFunc(a.Value, invisible):
			return fmt.Errorf("%s %q contains a control, direction or replacement character", a.Type, a.Value)
		case strings.TrimSpace(a.Value) != a.Value:
			return fmt.Errorf("%s %q begins or ends with a space", a.Type, a.Value)
		case (t.Word == "country" || t.Word == "jurisdiction_country") && !isCountry(a.Value):
			return fmt.Errorf("country %q is not a two-letter code in capitals, such as \"DE\" (ISO 3166)", a.Value)
		case size > t.Max:
			return fmt.Errorf("%s has %d characters, and X.520 allows %d", a.Type, size, t.Max)
		case t.Syntax == PrintableString && strings.ContainsFunc(a.Value, notPrintable):
			return fmt.Errorf("%s %q is not of letters, digits, spaces and '()+,-./:=? alone (X.520 §6.2.9)", a.Type, a.Value)
		case t.Syntax == IA5String && strings.ContainsFunc(a.Value, notASCII):
			return fmt.Errorf("%s %q is not of ASCII characters alone (RFC 5280 appendix A.1)", a.Type, a.Value)
		}
	}
	return nil
}

// repeats reports whether the RDN of attribute i has its type before.
func (n Name) repeats(i int) bool {
	for j := i; j > 0 && n[j].Joins; j-- {
		if n[j-1].OID() == n[i].OID() {
			return true
		}
	}
	return false
}

func notASCII(r rune) bool { return r > 0x7e || r < 0x20 }

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

// IsPrintableString reports whether a text can be a PrintableString (X.680
// §41.4).
func IsPrintableString(s string) bool { return !strings.ContainsFunc(s, notPrintable) }

func isCountry(s string) bool {
	return len(s) == 2 && s[0] >= 'A' && s[0] <= 'Z' && s[1] >= 'A' && s[1] <= 'Z'
}

// Value gives the first value of a type, "" when there is none.
func (n Name) Value(word string) string {
	for _, a := range n {
		if t, _ := typeOf(a.Type); t.Word == word {
			return a.Value
		}
	}
	return ""
}

// String gives the RFC 4514 form, the narrowest RDN first.
func (n Name) String() string {
	rdns := n.RDNs()
	slices.Reverse(rdns)
	return strings.Join(rdns, ",")
}

// RDNs gives the name as ParseRDNs reads it, in its encoded order.
func (n Name) RDNs() []string {
	var rdns []string
	for _, a := range n {
		t, _ := typeOf(a.Type)
		text := t.Short + "=" + escapeRDN(a.Value)
		if a.Joins && len(rdns) > 0 {
			rdns[len(rdns)-1] += "+" + text
			continue
		}
		rdns = append(rdns, text)
	}
	return rdns
}

// ShortName gives the short name of an attribute type by its object
// identifier, or the identifier itself.
func ShortName(oid string) string {
	t, _ := typeOf(oid)
	return t.Short
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
