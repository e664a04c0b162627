package pkcs11

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"testing"
)

// TestWidthOfSignatures refuses r and s of another width, also when they would
// verify with the superfluous zero read over.
func TestWidthOfSignatures(t *testing.T) {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte("message"))
	r, s, err := ecdsa.Sign(rand.Reader, k, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	rb, sb := r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))
	good := slices.Concat(rb, sb)
	if _, err := finish(k.Public(), good, digest[:], crypto.SHA256); err != nil {
		t.Fatal(err)
	}
	for name, raw := range map[string][]byte{
		"a zero in the middle": slices.Concat(rb, []byte{0}, sb), "short": good[:63], "very short": good[:1], "empty": nil,
	} {
		if got, err := finish(k.Public(), raw, digest[:], crypto.SHA256); !errors.Is(err, errSignature) || got != nil {
			t.Errorf("%s: %x, %v", name, got, err)
		}
	}
}

func TestDiffer(t *testing.T) {
	old, public, private := object{Class: ckoPrivate, ID: []byte{1}, Label: "old"}, object{Class: ckoPublic, ID: []byte{2}, Label: "new"}, object{Class: ckoPrivate, ID: []byte{2}, Label: "new"}
	stranger := object{Class: ckoData, Label: "stranger"}
	for name, c := range map[string]struct {
		after []object
		says  string
	}{
		"the pair":         {[]object{private, old, public}, ""},
		"half":             {[]object{old, public}, "1 objects appeared instead of 2"},
		"something beside": {[]object{old, public, private, stranger}, "appeared beside it"},
		"the old one gone": {[]object{public, private}, `label "old" and id 01 disappeared`},
		"twin of the old":  {[]object{old, old, public, private}, "appeared beside it"},
		"nothing":          {[]object{old}, "0 objects appeared"},
	} {
		got := differ([]object{old}, c.after, []uint{7, 8})
		if (got == "") != (c.says == "") || !strings.Contains(got, c.says) {
			t.Errorf("%s: %q, want %q", name, got, c.says)
		}
	}
}

func TestCanLeave(t *testing.T) {
	for name, c := range map[string]struct {
		flags map[string]bool
		bad   bool
	}{
		"kept":            {map[string]bool{"sensitive": true, "extractable": false}, false},
		"not told":        {nil, false},
		"extractable":     {map[string]bool{"sensitive": true, "extractable": true}, true},
		"not sensitive":   {map[string]bool{"sensitive": false, "extractable": false}, true},
		"only the second": {map[string]bool{"extractable": true}, true},
	} {
		if word, bad := canLeave(object{Flags: c.flags}, false); bad != c.bad {
			t.Errorf("%s: %s, %t", name, word, bad)
		}
	}
}
