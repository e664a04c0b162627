package lint

import (
	"crypto/x509/pkix"
	"testing"
	"unicode/utf8"
)

// TestPunycode holds the decoder against the samples of RFC 3492 §7.1 and
// against names that are registered.
func TestPunycode(t *testing.T) {
	for encoded, want := range map[string]string{
		"bcher-kva":                "bücher",
		"mnchen-3ya":               "münchen",
		"e1afmkfd":                 "пример",
		"80ak6aa92e":               "аррӏе",
		"fsqu00a":                  "例子",
		"ihqwcrb4cv8a8dqg056pqjye": "他们为什么不说中文",
		"2-u9tlzr9756bt3uc0v":      "ひとつ屋根の下2",
		"d9juau41awczczp":          "そのスピードで",
		"egbpdaj6bu4bxfgehfvwxn":   "ليهمابتكلموشعربي؟",
		"de-jg4avhby1noc0d":        "パフィーdeルンバ",
		"":                         "",
	} {
		if got, ok := punycode(encoded); !ok || got != want {
			t.Errorf("%s: %q, %t; want %q", encoded, got, ok, want)
		}
	}
	for _, encoded := range []string{"!", "99999999999999999999", "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"} {
		if got, ok := punycode(encoded); ok {
			t.Errorf("%s: %q, want it refused", encoded, got)
		}
	}
}

// TestLookAlikes tells names that deceive from names of the world.
func TestLookAlikes(t *testing.T) {
	for name, want := range map[string]int{
		"ACME GmbH": 0, "Пример ООО": 0, "Sony ソニー株式会社": 0, "示例公司 ACME": 0, "Bücher & Söhne": 0, "Α/S Ελλάς": 0, "β-Carotene": 0,
		"Ελλάς Beta": 0, "X-Ящик": 0, "ΑCME": 1, "АСМЕ": 0, "ACMЕ": 1, "Pаypаl Inc": 1, "Gооgle and Аpple": 2, "Ꭺcme": 1,
	} {
		subject := pkix.Name{Names: []pkix.AttributeTypeAndValue{{Type: countryOID, Value: name}}}
		if got := lookAlikes(subject, nil); len(got) != want {
			t.Errorf("%s: %q, want %d", name, got, want)
		}
	}
	for host, want := range map[string]int{
		"www.acme.internal": 0, "xn--bcher-kva.example": 0, "xn--e1afmkfd.example": 0, "xn--80ak6aa92e.com": 1, "xn--pypal-4ve.com": 1,
		"xn--80ak6aa92e.xn--p1ai": 0, "*.xn--80ak6aa92e.com": 1, "xn--!.com": 0,
	} {
		if got := lookAlikes(pkix.Name{}, []string{host}); len(got) != want {
			t.Errorf("%s: %q, want %d", host, got, want)
		}
	}
}

func FuzzPunycode(f *testing.F) {
	for _, seed := range []string{"bcher-kva", "80ak6aa92e", "99999", "a-", "-"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, encoded string) {
		text, ok := punycode(encoded)
		if ok && utf8.ValidString(encoded) && (len(text) > 4*len(encoded) || !utf8.ValidString(text)) {
			t.Errorf("%q became %q", encoded, text)
		}
	})
}
