package pkcs11

import (
	"reflect"
	"strings"
	"testing"

	"pki.internal/spec"
)

func TestParseKeyURI(t *testing.T) {
	for text, want := range map[string]KeyURI{
		"pkcs11:token=a;object=b":                  {Token: Selector{Label: "a"}, Label: "b"},
		"pkcs11:serial=1%202;id=%01%ff;model=m%3b": {Token: Selector{Serial: "1 2", Model: "m;"}, ID: []byte{1, 0xff}},
		"pkcs11:token=a;manufacturer=x;object=b;type=private?module-path=/m.so&pin-source=file:/run/pin": {
			Token: Selector{Label: "a", Manufacturer: "x"}, Label: "b", Module: "/m.so", PINSource: "/run/pin"},
		"pkcs11:token=a;object=b?pin-source=/run/pin": {Token: Selector{Label: "a"}, Label: "b", PINSource: "/run/pin"},
	} {
		have, err := ParseKeyURI(text)
		if err != nil || !reflect.DeepEqual(have, want) {
			t.Errorf("%s: %+v, %v, want %+v", text, have, err, want)
		}
	}
	// What the estate writes is what the command line reads.
	token := &spec.Token{Label: "acme root;é", Serial: "0", Manufacturer: "M&M", Model: "x?"}
	have, err := ParseKeyURI(token.KeyURI([]byte{0, 9}, "a=b"))
	want := KeyURI{Token: Selector{"acme root;é", "0", "M&M", "x?"}, ID: []byte{0, 9}, Label: "a=b"}
	if err != nil || !reflect.DeepEqual(have, want) {
		t.Errorf("%+v, %v, want %+v", have, err, want)
	}
}

func TestParseKeyURIRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                                                     "does not begin",
		"file:x":                                               "does not begin",
		"pkcs11:":                                              "not an attribute",
		"pkcs11:token=a":                                       "names no key",
		"pkcs11:object=a":                                      "names no token",
		"pkcs11:token=a;token=b;object=c":                      "token twice",
		"pkcs11:token=;object=c":                               "token is empty",
		"pkcs11:token=a;object=%zz":                            "not percent-encoded",
		"pkcs11:token=a;object=b;type=public":                  "no key that signs",
		"pkcs11:token=a;object=b;slot-id=1":                    "names a slot",
		"pkcs11:token=a;object=b;x-mine=1":                     `"x-mine"`,
		"pkcs11:token=a;object=b?pin-value=secret":             "no secret",
		"pkcs11:token=a;object=b;pin-value=secret":             "no secret",
		"pkcs11:token=a;object=b?pin-source=|cat":              "not a file",
		"pkcs11:token=a;object=b?module-name=m":                "would be looked for",
		"pkcs11:token=a;object=b?module-path=m.so":             "not a whole path",
		"pkcs11:token=a;object=b?module-path=/a/../m.so":       "not a whole path",
		"pkcs11:token=a;object=b?x=1":                          `"x"`,
		"pkcs11:token=a;object=" + strings.Repeat("x", maxURI): "more than any",
	} {
		u, err := ParseKeyURI(text)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret.") || strings.Contains(err.Error(), "=secret") {
			t.Errorf("%.60s: %+v, %v, want %q", text, u, err, want)
		}
	}
}

func FuzzParseKeyURI(f *testing.F) {
	f.Add("pkcs11:token=a;object=b?module-path=/m.so&pin-source=file:/p")
	f.Add("pkcs11:serial=1;id=%00%01")
	f.Fuzz(func(t *testing.T, text string) {
		u, err := ParseKeyURI(text)
		if err != nil && !reflect.DeepEqual(u, KeyURI{}) {
			t.Errorf("%q: refused, and %+v", text, u)
		}
		if err == nil && (u.Token.Label == "" && u.Token.Serial == "" || u.ID == nil && u.Label == "") {
			t.Errorf("%q names too little: %+v", text, u)
		}
	})
}
