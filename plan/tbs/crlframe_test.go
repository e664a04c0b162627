package tbs

import (
	"bytes"
	"encoding/hex"
	"math/rand/v2"
	"testing"
	"time"

	"pki.internal/spec"
)

// TestFramedListsAreBuiltLists holds lists that are written piece by piece
// against the same lists built whole, over lengths at which the form changes.
func TestFramedListsAreBuiltLists(t *testing.T) {
	random := rand.New(rand.NewPCG(4, 2))
	name, err := EncodeName(spec.Name{{Type: "common_name", Value: "Framed CA"}})
	if err != nil {
		t.Fatal(err)
	}
	number, err := CRLNumber("77")
	if err != nil {
		t.Fatal(err)
	}
	keys := Keys{IssuerID: []byte{1, 2, 3}}
	for _, n := range []int{0, 1, 2, 3, 4, 5, 6, 100, 1500, 2000} {
		c := CRL{
			Signature: spec.ECDSAP256, Issuer: name, ThisUpdate: time.Unix(1.7e9, 0), NextUpdate: time.Unix(2.6e9, 0),
			Extensions: []Extension{OpenAuthorityKeyID(), number},
		}
		var body []byte
		for range n {
			serial := make([]byte, 1+random.IntN(20))
			for i := range serial {
				serial[i] = byte(random.Uint32())
			}
			serial[0] |= 1
			e := PackedEntry{Serial: append([]byte{0, 0}, serial...), Date: random.Int64N(5e9) - 6e8, Reason: []int{0, 1, 2, 3, 4, 5, 6, 9, 10}[random.IntN(9)]}
			c.Entries = append(c.Entries, Entry{Serial: hex.EncodeToString(serial), Date: time.Unix(e.Date, 0), Reason: e.Reason})
			if body, err = e.Append(body); err != nil {
				t.Fatal(err)
			}
		}
		whole, err := c.Build(keys)
		if err != nil {
			t.Fatal(err)
		}
		head, tail, err := c.Frame(keys, int64(len(body)))
		if err != nil {
			t.Fatal(err)
		}
		framed := bytes.Join([][]byte{head, body, tail}, nil)
		if !bytes.Equal(framed, whole) {
			t.Fatalf("%d entries: framed\n%x\nbuilt\n%x", n, framed, whole)
		}
		before, after, err := Envelope(int64(len(framed)), c.Signature, []byte("a signature"))
		if err != nil {
			t.Fatal(err)
		}
		want, err := Assemble(whole, c.Signature, []byte("a signature"))
		if err != nil {
			t.Fatal(err)
		}
		if got := bytes.Join([][]byte{before, framed, after}, nil); !bytes.Equal(got, want) {
			t.Fatalf("%d entries: the envelope differs", n)
		}
	}
}

func TestPackedEntryRefuses(t *testing.T) {
	for name, e := range map[string]PackedEntry{
		"no serial":      {Serial: []byte{0, 0}},
		"reason 7":       {Serial: []byte{1}, Reason: 7},
		"removeFromCRL":  {Serial: []byte{1}, Reason: 8},
		"before 1950":    {Serial: []byte{1}, Date: year1950 - 1},
		"after 9999":     {Serial: []byte{1}, Date: year10000},
		"bad invalidity": {Serial: []byte{1}, HasInvalidity: true, Invalidity: year10000},
	} {
		if b, err := e.Append(nil); err == nil {
			t.Errorf("%s: %x", name, b)
		}
	}
	if _, _, err := (&CRL{Signature: spec.ECDSAP256, Issuer: []byte{0x30, 0}, ThisUpdate: time.Unix(0, 0), NextUpdate: time.Unix(1, 0)}).Frame(Keys{}, maxCRL); err == nil {
		t.Error("a list of 4 GiB was framed")
	}
}

func TestCivil(t *testing.T) {
	for day := int64(year1950 / 86400); day < year10000/86400; day++ {
		y, m, d := civil(day)
		wy, wm, wd := time.Unix(day*86400, 0).UTC().Date()
		if y != wy || m != int(wm) || d != wd {
			t.Fatalf("day %d is %d-%d-%d, want %d-%d-%d", day, y, m, d, wy, wm, wd)
		}
	}
}
