package spec

import (
	"encoding/json"
	"path"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func addresses() *rapid.Generator[Address] {
	return rapid.Custom(func(t *rapid.T) Address {
		word := rapid.StringMatching(`[a-zA-Z_][a-zA-Z0-9_-]{0,63}`)
		a := Address{Kind: word.Draw(t, "kind"), Name: word.Draw(t, "name")}
		if rapid.Bool().Draw(t, "has a key") {
			a.Key = rapid.StringMatching(`[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,63}`).Draw(t, "key")
		}
		return a
	})
}

func TestAddressRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := addresses().Draw(t, "address")
		if back, err := ParseAddress(a.String()); err != nil || back != a {
			t.Fatalf("%q reads as %+v, %v", a, back, err)
		}
		text, err := json.Marshal(map[Address]Address{a: a})
		if err != nil {
			t.Fatal(err)
		}
		var back map[Address]Address
		if err := json.Unmarshal(text, &back); err != nil || back[a] != a {
			t.Fatalf("%s reads as %v, %v", text, back, err)
		}
		if name := a.FileName(); path.Base(name) != name || strings.HasPrefix(name, ".") || strings.ContainsAny(name, `/\`) {
			t.Fatalf("%s has the file name %q", a, name)
		}
	})
}

func TestAddressText(t *testing.T) {
	for text, want := range map[string]Address{
		"estate": {}, "authority.root": {Kind: "authority", Name: "root"}, "estate.x": {Kind: "estate", Name: "x"},
		`authority.issuing["us"]`: {Kind: "authority", Name: "issuing", Key: "us"}, `a.b["1.2"]`: {Kind: "a", Name: "b", Key: "1.2"},
	} {
		if have, err := ParseAddress(text); err != nil || have != want || have.String() != text {
			t.Errorf("ParseAddress(%s) = %+v, %v", text, have, err)
		}
	}
	if have := (Address{Kind: "authority", Name: "issuing", Key: "us"}).FileName(); have != "issuing-us" {
		t.Errorf("file name = %q", have)
	}
}

// TestAddressHostile keeps what a plan or a ledger says from becoming a path.
func TestAddressHostile(t *testing.T) {
	for _, text := range []string{
		"", ".", "authority", "authority.", ".root", "authority.root.", "authority.root.x", "Estate ", " estate", "authority root", "authority.1",
		"authority.../x", "authority.a/b", `authority.a\b`, "authority.root\n", "authority.röot", "authority." + strings.Repeat("x", 65),
		`a.b[]`, `a.b[""]`, `a.b["us"`, `a.b["us"]]`, `a.b["us"] `, `a.b["us"].c`, `a.b[us]`, `a.b['us']`, "a.b[`us`]", `a.b[0]`, `a["us"].b`, `["us"]`,
		`a.b["../x"]`, `a.b["a/b"]`, `a.b["a\\b"]`, `a.b["."]`, `a.b[".."]`, `a.b[".x"]`, `a.b["-x"]`, `a.b["\x00"]`, `a.b["\u0061"]`, `a.b["ü"]`, `a.b["a"b"]`,
		`a.b["` + strings.Repeat("x", 65) + `"]`,
	} {
		have, err := ParseAddress(text)
		if err == nil || have != (Address{}) {
			t.Errorf("ParseAddress(%q) = %+v", text, have)
		}
		if err != nil && !strings.Contains(err.Error(), "is not an address") {
			t.Errorf("ParseAddress(%q): %v", text, err)
		}
	}
	a := Address{Kind: "authority", Name: "root"}
	if err := a.UnmarshalText([]byte("../x")); err == nil || a.Name != "root" {
		t.Errorf("UnmarshalText changed the address to %v (%v)", a, err)
	}
	if ValidName("") || ValidName("-a") || ValidName("a.b") || !ValidName("_a-B9") || ValidKey("") || !ValidKey("9.a") {
		t.Error("a name is judged wrongly")
	}
}
