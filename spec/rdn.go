package spec

import (
	"fmt"
	"strconv"
	"strings"
)

// ParseRDNs reads a name from its RDNs in the order in which they are encoded,
// the widest first. Each is TYPE=VALUE, or several joined by plus signs. TYPE
// is a word of HCL, a short name (C, O, CN …) or an object identifier; in VALUE
// a comma, plus sign, equals sign or backslash has a backslash before it
// (RFC 4514 §2.4).
func ParseRDNs(rdns []string) (Name, error) {
	var name Name
	for _, rdn := range rdns {
		for i, part := range splitUnescaped(rdn, '+') {
			word, value, found := strings.Cut(part, "=")
			word = strings.TrimSpace(word)
			t, known := typeByAnyName(word)
			switch {
			case !found:
				return nil, fmt.Errorf("%q is not an RDN such as \"O=ACME\"", rdn)
			case !known:
				return nil, fmt.Errorf("%q is neither a type of name attribute nor an object identifier; use C, O, OU, CN or one of %s", word, strings.Join(NameWords(), ", "))
			}
			text, err := unescapeRDN(strings.TrimSpace(value))
			if err != nil {
				return nil, fmt.Errorf("in %q, %w", rdn, err)
			}
			name = append(name, NameAttribute{Type: t.Word, Value: text, Joins: i > 0})
		}
	}
	return name, nil
}

// ParseDirectoryName reads RDNs that commas separate, the widest first, as
// name constraints are written: "C=DE, O=ACME".
func ParseDirectoryName(s string) (Name, error) { return ParseRDNs(splitUnescaped(s, ',')) }

// typeByAnyName finds a type by word, short name or object identifier.
func typeByAnyName(word string) (nameType, bool) {
	for _, t := range nameTypes() {
		if strings.EqualFold(t.Short, word) || t.Word == word {
			return t, true
		}
	}
	if strings.EqualFold(word, "E") {
		return typeOf("email_address")
	}
	return typeOf(strings.TrimPrefix(word, "OID."))
}

func splitUnescaped(s string, at byte) []string {
	var parts []string
	from := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case at:
			parts = append(parts, s[from:i])
			from = i + 1
		}
	}
	return append(parts, s[from:])
}

func unescapeRDN(s string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b.WriteByte(s[i])
			continue
		}
		switch {
		case i+1 < len(s) && strings.IndexByte(`,+"\<>;= #`, s[i+1]) >= 0:
			b.WriteByte(s[i+1])
			i++
		case i+2 < len(s):
			code, err := strconv.ParseUint(s[i+1:i+3], 16, 8)
			if err != nil {
				return "", fmt.Errorf("the backslash stands before neither , + = \\ nor two hexadecimal digits")
			}
			b.WriteByte(byte(code))
			i += 2
		default:
			return "", fmt.Errorf("a backslash stands at the end")
		}
	}
	return b.String(), nil
}

// ValidOID reports whether s is an object identifier in dots and numbers
// (X.660): two arcs at least, without leading zeros, of sane length.
func ValidOID(s string) bool {
	arcs := strings.Split(s, ".")
	if len(arcs) < 2 || len(s) > 128 {
		return false
	}
	for i, arc := range arcs {
		n, err := strconv.ParseUint(arc, 10, 31)
		if err != nil || strconv.FormatUint(n, 10) != arc || i == 0 && n > 2 || i == 1 && arcs[0] != "2" && n > 39 {
			return false
		}
	}
	return true
}
