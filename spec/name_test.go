package spec

import (
	"slices"
	"strings"
	"testing"
)

// TestNameCheck has a good and a bad value for each rule.
func TestNameCheck(t *testing.T) {
	for _, good := range []NameAttribute{
		{Type: "common_name", Value: "ACME Root CA G1"}, {Type: "common_name", Value: "Zürich 漢字"}, {Type: "common_name", Value: strings.Repeat("ü", 64)}, {Type: "country", Value: "DE"},
		{Type: "province", Value: strings.Repeat("x", 128)}, {Type: "postal_code", Value: strings.Repeat("9", 40)}, {Type: "serial_number", Value: "HRB 12345 (a)"}, {Type: "organization", Value: `"A", B & C * @`},
	} {
		if err := (Name{good}).Check(); err != nil {
			t.Errorf("%v: %v", good, err)
		}
	}
	for _, c := range []struct {
		bad  NameAttribute
		want string
	}{
		{NameAttribute{Type: "colour", Value: "blue"}, "not a name attribute"},
		{NameAttribute{Type: "common_name", Value: ""}, "leave the attribute out"},
		{NameAttribute{Type: "common_name", Value: strings.Repeat("ü", 65)}, "X.520 allows 64"},
		{NameAttribute{Type: "province", Value: strings.Repeat("x", 129)}, "X.520 allows 128"},
		{NameAttribute{Type: "postal_code", Value: strings.Repeat("9", 41)}, "X.520 allows 40"},
		{NameAttribute{Type: "common_name", Value: "a\nb"}, "control"}, {NameAttribute{Type: "common_name", Value: "a\x00b"}, "control"}, {NameAttribute{Type: "common_name", Value: "a\u0085b"}, "control"},
		{NameAttribute{Type: "common_name", Value: "a\x7f"}, "control"}, {NameAttribute{Type: "common_name", Value: "a\xff"}, "replacement"}, {NameAttribute{Type: "common_name", Value: "a\ufffd"}, "replacement"},
		{NameAttribute{Type: "common_name", Value: "a\u202ecod.exe"}, "direction"}, {NameAttribute{Type: "common_name", Value: "a\u2066b"}, "direction"}, {NameAttribute{Type: "common_name", Value: "a\u2028b"}, "direction"},
		{NameAttribute{Type: "common_name", Value: " a"}, "space"}, {NameAttribute{Type: "common_name", Value: "a "}, "space"}, {NameAttribute{Type: "common_name", Value: " "}, "space"},
		{NameAttribute{Type: "country", Value: "de"}, "ISO 3166"}, {NameAttribute{Type: "country", Value: "Germany"}, "ISO 3166"}, {NameAttribute{Type: "country", Value: "D"}, "ISO 3166"}, {NameAttribute{Type: "country", Value: "ÄÖ"}, "ISO 3166"},
		{NameAttribute{Type: "serial_number", Value: "no_7"}, "X.520 §6.2.9"}, {NameAttribute{Type: "serial_number", Value: "№7"}, "X.520 §6.2.9"},
	} {
		if err := (Name{{Type: "common_name", Value: "good"}, c.bad}).Check(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: Check = %v, want an error with %q", c.bad, err, c.want)
		}
	}
	if err := (Name{}).Check(); err != nil {
		t.Errorf("the empty name: %v", err)
	}
}

// TestNewName keeps the order of encoding and lets own types override those
// of the estate, whole.
func TestNewName(t *testing.T) {
	n := NewName(
		map[string][]string{"common_name": {"CN"}, "organization": {"Own"}, "organizational_unit": {"b", "a"}, "locality": {}, "colour": {"blue"}},
		map[string][]string{"country": {"DE"}, "organization": {"Default", "Second"}, "locality": {"Berlin"}, "serial_number": {"7"}},
	)
	want := Name{
		{Type: "country", Value: "DE"}, {Type: "locality", Value: "Berlin"}, {Type: "organization", Value: "Own"}, {Type: "organizational_unit", Value: "b"}, {Type: "organizational_unit", Value: "a"},
		{Type: "serial_number", Value: "7"}, {Type: "common_name", Value: "CN"},
	}
	if !slices.Equal(n, want) {
		t.Errorf("NewName = %v, want %v", n, want)
	}
	if n.Value("organizational_unit") != "b" || n.Value("province") != "" {
		t.Errorf("values = %q, %q", n.Value("organizational_unit"), n.Value("province"))
	}
	if have := n.String(); have != "CN=CN,SERIALNUMBER=7,OU=a,OU=b,O=Own,L=Berlin,C=DE" {
		t.Errorf("String = %s", have)
	}
	for _, a := range want {
		if a.OID() == "" {
			t.Errorf("%s has no OID", a.Type)
		}
	}
	if (NameAttribute{Type: "colour", Value: ""}).OID() != "" || NewName(nil, nil) != nil {
		t.Error("an unknown attribute has an OID, or the empty name a member")
	}
}

// TestNameString escapes as RFC 4514 §2.4 has it.
func TestNameString(t *testing.T) {
	for value, want := range map[string]string{
		`a,b`: `CN=a\,b`, `a+b`: `CN=a\+b`, `a"b`: `CN=a\"b`, `a\b`: `CN=a\\b`, `<a>`: `CN=\<a\>`, `a;b`: `CN=a\;b`, `a=b`: `CN=a\=b`,
		`#a`: `CN=\#a`, `a#`: `CN=a#`, ` a`: `CN=\ a`, `a `: `CN=a\ `, ` `: `CN=\ `, `Zürich`: `CN=Zürich`,
	} {
		if have := (Name{{Type: "common_name", Value: value}}).String(); have != want {
			t.Errorf("%q is written %s, want %s", value, have, want)
		}
	}
}

// TestAlgorithmsAndUsages keeps every word of the language complete.
func TestAlgorithmsAndUsages(t *testing.T) {
	for _, a := range Algorithms() {
		if a.Title() == string(a) {
			t.Errorf("%s has no title", a)
		}
	}
	if Algorithm("md5").Title() != "md5" {
		t.Error("an unknown algorithm has a title")
	}
	for _, u := range ExtKeyUsages() {
		if !strings.HasPrefix(u.OID(), "1.3.6.1.5.5.7.3.") {
			t.Errorf("%s has the OID %q", u, u.OID())
		}
	}
	for _, u := range []ExtKeyUsage{"any", "ocsp_signing", ""} { // see ExtKeyUsages
		if u.OID() != "" {
			t.Errorf("%q has the OID %q", u, u.OID())
		}
	}
}
