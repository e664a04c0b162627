package spec

import (
	"slices"
	"strings"
	"testing"
)

// TestParseRDNs reads what operators write, and String gives it back from the
// other end.
func TestParseRDNs(t *testing.T) {
	n, err := ParseRDNs([]string{`DC=example`, `c=DE`, `O=ACME\, GmbH`, `OU=a+CN=x \+ y+user_id=7`, `2.5.4.97=VATDE-1`, `1.2.3.4=\c3\bc`, `E=a@b`})
	if err != nil {
		t.Fatal(err)
	}
	want := Name{
		{Type: "domain_component", Value: "example"}, {Type: "country", Value: "DE"}, {Type: "organization", Value: "ACME, GmbH"},
		{Type: "organizational_unit", Value: "a"}, {Type: "common_name", Value: "x + y", Joins: true}, {Type: "user_id", Value: "7", Joins: true},
		{Type: "organization_identifier", Value: "VATDE-1"}, {Type: "1.2.3.4", Value: "ü"}, {Type: "email_address", Value: "a@b"},
	}
	if !slices.Equal(n, want) {
		t.Errorf("have %v", n)
	}
	if have := n.String(); have != `emailAddress=a@b,1.2.3.4=ü,organizationIdentifier=VATDE-1,OU=a+CN=x \+ y+UID=7,O=ACME\, GmbH,C=DE,DC=example` {
		t.Errorf("written %s", have)
	}
	if err := n.Check(); err != nil {
		t.Error(err)
	}
	for bad, want := range map[string]string{
		"ACME": "not an RDN", "X=1": "neither a type", "1.2.03=x": "neither a type", `O=a\`: "at the end", `O=a\zz`: "two hexadecimal digits", "": "not an RDN", "O=a+": "not an RDN",
	} {
		if _, err := ParseRDNs([]string{bad}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", bad, err, want)
		}
	}
	for bad, want := range map[string]string{"O=a+O=b": "twice in one RDN", "DC=ü": "ASCII", "E=ü@b": "ASCII", "dnQualifier=_": "X.520", "jurisdictionC=de": "ISO 3166"} {
		n, err := ParseRDNs([]string{bad})
		if err != nil {
			t.Errorf("%q: %v", bad, err)
		}
		if err := n.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", bad, err, want)
		}
	}
	if n, err := ParseDirectoryName(`C=DE, O=a\, b`); err != nil || len(n) != 2 || n[1].Value != "a, b" {
		t.Errorf("%v, %v", n, err)
	}
}

// TestValidOID has a good and a bad identifier for each rule.
func TestValidOID(t *testing.T) {
	for _, good := range []string{"1.2", "2.999.1", "0.39", "1.3.6.1.4.1.99999.1"} {
		if !ValidOID(good) {
			t.Errorf("%s is refused", good)
		}
	}
	for _, bad := range []string{"", "1", "3.1", "1.40", "1.02", "1..2", "1.2.", "a.b", "1.-2", "1.2.99999999999", strings.Repeat("1.", 70) + "1"} {
		if ValidOID(bad) {
			t.Errorf("%s is accepted", bad)
		}
	}
}

// FuzzRDN never panics, and what it accepts reads back the same.
func FuzzRDN(f *testing.F) {
	f.Add(`OU=a+CN=x \+ y`)
	f.Add(`1.2.3.4=\c3\bc`)
	f.Fuzz(func(t *testing.T, text string) {
		n, err := ParseRDNs([]string{text})
		if err != nil || n.Check() != nil {
			return
		}
		again, err := ParseRDNs([]string{n.String()})
		if err != nil || !slices.Equal(n, again) {
			t.Fatalf("%q became %v, %v", text, again, err)
		}
	})
}
