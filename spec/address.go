package spec

import (
	"fmt"
	"regexp"
	"strings"
)

// Address names one block of an estate, such as authority.root or
// authority.issuing["us"]. The zero Address is the estate itself.
type Address struct {
	Kind string // block type without its type label: authority, key_store, provisioner …
	Name string
	Key  string // for_each key, empty without one
}

var (
	namePattern = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_-]*$`)
	keyPattern  = regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9_.-]*$`)
)

// ValidName reports whether s may name a block: a letter or underscore, then
// letters, digits, underscores and dashes, 64 at most, because names become
// file names.
func ValidName(s string) bool { return len(s) <= 64 && namePattern.MatchString(s) }

// ValidKey reports whether s may be a for_each key: as a name, but dots and a
// leading digit are fine. Nothing else may come near a file name.
func ValidKey(s string) bool { return len(s) <= 64 && keyPattern.MatchString(s) }

// String gives the form that HCL, plans and ledgers use.
func (a Address) String() string {
	switch {
	case a == Address{}:
		return "estate"
	case a.Key != "":
		return fmt.Sprintf("%s.%s[%q]", a.Kind, a.Name, a.Key)
	default:
		return a.Kind + "." + a.Name
	}
}

// FileName gives the name that derived files carry: the block's name, and the
// for_each key after a dash.
func (a Address) FileName() string {
	if a.Key == "" {
		return a.Name
	}
	return a.Name + "-" + a.Key
}

// ParseAddress reads what String wrote.
func ParseAddress(s string) (Address, error) {
	if s == "estate" {
		return Address{}, nil
	}
	kind, rest, found := strings.Cut(s, ".")
	name, key := rest, ""
	if before, bracket, has := strings.Cut(rest, `["`); has {
		name, key = before, strings.TrimSuffix(bracket, `"]`)
		if key == bracket || !ValidKey(key) {
			return Address{}, fmt.Errorf("%q is not an address: the key after the name is written [\"key\"], of letters, digits, dots, dashes and underscores", s)
		}
	}
	if !found || !ValidName(kind) || !ValidName(name) {
		return Address{}, fmt.Errorf("%q is not an address: write it as authority.root", s)
	}
	return Address{Kind: kind, Name: name, Key: key}, nil
}

// MarshalText lets addresses stand in canonical JSON.
func (a Address) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (a *Address) UnmarshalText(text []byte) error {
	parsed, err := ParseAddress(string(text))
	if err != nil {
		return err
	}
	*a = parsed
	return nil
}
