package shamir

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	vault "github.com/hashicorp/vault/shamir"
	"pgregory.net/rapid"
)

// TestEverySubset takes every threshold, number of shares and choice of them
// up to eight, and both sides of every length class.
func TestEverySubset(t *testing.T) {
	for count := 2; count <= 8; count++ {
		for threshold := 2; threshold <= count; threshold++ {
			secret := strings.Repeat("s", []int{1, 31, 32, 33, 63, 64, 65}[count-2])
			_, shares := split(t, secret, threshold, count)
			seen := 0
			for size := 1; size <= count; size++ {
				subsets(count, size, func(chosen []int) bool {
					seen++
					var some []*Share
					for _, i := range chosen {
						some = append(some, shares[i])
					}
					got, err := Combine(some, Use{})
					if size < threshold {
						if got != nil || !errors.Is(err, ErrTooFew) {
							t.Fatalf("%d of %d, shares %v: %q, %v", threshold, count, chosen, got, err)
						}
					} else if err != nil || string(got) != secret {
						t.Fatalf("%d of %d, shares %v: %q, %v", threshold, count, chosen, got, err)
					}
					return true
				})
			}
			if seen != 1<<count-1 {
				t.Fatalf("%d of %d: %d subsets, want %d", threshold, count, seen, 1<<count-1)
			}
		}
	}
}

// TestAnySplit is the same for every shape that the limits allow, through
// every form on the way.
func TestAnySplit(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		count := rapid.IntRange(MinThreshold, MaxShares).Draw(r, "count")
		threshold := rapid.IntRange(MinThreshold, count).Draw(r, "threshold")
		secret := rapid.SliceOfN(rapid.Byte(), 1, MaxSecret).Draw(r, "secret")
		purpose := rapid.StringMatching(`[a-zA-Zäé€]([ -~]{0,14}[a-z])?`).Draw(r, "purpose")
		random := &stream{name: rapid.String().Draw(r, "seed")}
		set, shares, err := Split(random, secret, Policy{Threshold: threshold, Holders: people(count), Purpose: purpose})
		if err != nil {
			r.Fatal(err)
		}
		if record, err := ReadSet(set.Encode()); err != nil || !bytes.Equal(record.Encode(), set.Encode()) {
			r.Fatalf("record: %v", err)
		}
		chosen := rapid.Permutation(shares).Draw(r, "order")[:rapid.IntRange(threshold, count).Draw(r, "given")]
		var read []*Share
		for i, s := range chosen {
			text, err := s.Write(forms[i%len(forms)])
			if err != nil {
				r.Fatal(err)
			}
			back, err := Read(text)
			if err != nil || !back.Share.Equal(s) || len(back.Corrections) > 0 || back.Form != forms[i%len(forms)] {
				r.Fatalf("%s: %+v, %v", text, back, err)
			}
			if err := set.Check(back.Share); err != nil {
				r.Fatal(err)
			}
			read = append(read, back.Share)
		}
		if got, err := Combine(read, Use{Purpose: purpose, Set: set}); err != nil || !bytes.Equal(got, secret) {
			r.Fatalf("%q, %v", got, err)
		}
		if got, err := Combine(read[:threshold-1], Use{}); got != nil || !errors.Is(err, ErrTooFew) {
			r.Fatalf("below the threshold: %q, %v", got, err)
		}
	})
}

// TestLibrary holds that a share is a share of the library: its own Combine,
// called as it is documented, gives the payload.
func TestLibrary(t *testing.T) {
	_, shares := split(t, "correct horse battery staple", 3, 5)
	var parts [][]byte
	for _, s := range shares[1:4] {
		parts = append(parts, append(slices.Clone(s.value), byte(s.Index)))
	}
	payload, err := vault.Combine(parts)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(payload[payloadOverhead:], []byte("correct horse battery staple\x00\x00\x00\x00")) {
		t.Fatalf("%q", payload)
	}
}

// TestEvaluate holds interpolation against the library's, which is given the
// bytes themselves.
func TestEvaluate(t *testing.T) {
	random := &stream{}
	for threshold := 2; threshold <= 9; threshold++ {
		points := make([]point, threshold)
		for i := range points {
			y := make([]byte, 256)
			for j := range y {
				y[j] = byte(j) // every byte once, in another order at each point
			}
			shift := make([]byte, 1)
			if _, err := io.ReadFull(random, shift); err != nil {
				t.Fatal(err)
			}
			for j := range y {
				y[j] = y[j]*(2*shift[0]+1) + shift[0]
			}
			points[i] = point{byte(7*i + 1), y}
		}
		for _, x := range []byte{0, 1, 2, 200, 255} {
			var parts [][]byte
			for _, p := range points {
				parts = append(parts, append(slices.Clone(p.y), p.x^x))
			}
			want, err := vault.Combine(parts)
			if err != nil {
				t.Fatal(err)
			}
			if have, err := evaluate(points, x); err != nil || !bytes.Equal(have, want) {
				t.Errorf("%d points at %d: %v, %x, want %x", threshold, x, err, have, want)
			}
		}
	}
	for name, points := range map[string][]point{
		"none": nil, "one": {{1, []byte{1}}}, "one twice": {{1, []byte{1}}, {1, []byte{1}}}, "lengths": {{1, []byte{1}}, {2, []byte{1, 2}}},
	} {
		if _, err := evaluate(points, 0); err == nil {
			t.Errorf("%s: it was interpolated", name)
		}
	}
}

// TestBelowThreshold holds what "fewer give nothing" means: for the shares of
// a coalition that is one short, every payload is possible, and each with
// exactly one value of the missing share.
func TestBelowThreshold(t *testing.T) {
	_, shares := split(t, "x", 3, 4)
	for place := range 3 {
		seen := map[byte]bool{}
		for guess := range 256 {
			missing, err := evaluate([]point{
				{0, []byte{byte(guess)}}, {1, shares[0].value[place : place+1]}, {4, shares[3].value[place : place+1]},
			}, 2)
			if err != nil {
				t.Fatal(err)
			}
			seen[missing[0]] = true
		}
		if len(seen) != 256 {
			t.Errorf("byte %d: %d values of the missing share, want 256", place, len(seen))
		}
	}
}

// TestNoOracle holds that knowing the secret and all shares but the blinding
// key is not enough to compute digest or commitment: two splits of one secret
// share nothing that could be compared.
func TestNoOracle(t *testing.T) {
	policy := Policy{Threshold: 2, Holders: people(3), Purpose: "p"}
	a, sharesA, err := Split(&stream{name: "a"}, []byte("password"), policy)
	if err != nil {
		t.Fatal(err)
	}
	b, _, err := Split(&stream{name: "b"}, []byte("password"), policy)
	if err != nil {
		t.Fatal(err)
	}
	if a.Digest == b.Digest || a.Members[0].Commitment == b.Members[0].Commitment || a.ID() == b.ID() {
		t.Fatal("two splits of one secret can be told to be of one secret")
	}
	// A holder who knows the right password and not the blinding key cannot
	// compute another's commitment: with a blinding key that differs in one
	// bit, everything differs.
	payload, err := newPayload(&stream{name: "a"}, []byte("password"))
	if err != nil {
		t.Fatal(err)
	}
	if digestOf(payload, 2, 3, "p") != a.Digest {
		t.Fatal("the digest is not that of the payload")
	}
	payload[0] ^= 1
	if digestOf(payload, 2, 3, "p") == a.Digest {
		t.Error("the digest does not depend on the blinding key")
	}
	value, err := evaluate([]point{{0, payload}, {1, sharesA[0].value}}, 2)
	if err != nil {
		t.Fatal(err)
	}
	guess := *sharesA[1]
	guess.value = value
	if guess.Commitment() == a.Members[1].Commitment {
		t.Error("the commitment does not depend on the blinding key")
	}
	if !bytes.Equal(value[blindingSize:], sharesA[1].value[blindingSize:]) {
		t.Error("the rest of the share depends on the blinding key; then the test above shows nothing")
	}
}

func TestPolicy(t *testing.T) {
	for name, p := range map[string]Policy{
		"a threshold of 1 of 2":    {1, people(2), "p"},
		"a threshold of 3 of 2":    {3, people(2), "p"},
		"33 shares are too many":   {2, people(33), "p"},
		"it is empty":              {2, []string{"a", ""}, "p"},
		"named twice":              {2, []string{"a", "a"}, "p"},
		"do not print":             {2, people(2), "a\nb"},
		"begins or ends":           {2, people(2), "a "},
		"65 bytes; 64 are the mos": {2, people(2), strings.Repeat("p", 65)},
		"holder 2":                 {2, []string{"a", "\xff"}, "p"},
	} {
		_, _, err := Split(&stream{}, []byte("s"), p)
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v: %v, want %q", p, err, name)
		}
	}
	good := Policy{2, people(2), "p"}
	for _, secret := range []string{"", strings.Repeat("s", 129)} {
		if _, _, err := Split(&stream{}, []byte(secret), good); err == nil {
			t.Errorf("a secret of %d bytes was split", len(secret))
		}
	}
	for n := range 3 * 49 {
		if n >= 16+49 {
			break // enough randomness for 2 shares
		}
		if _, _, err := Split(io.LimitReader(&stream{}, int64(n)), []byte("s"), good); err == nil {
			t.Fatalf("%d bytes of randomness were enough", n)
		}
	}
}

// TestRefusals has a row for everything that Combine refuses, and what it
// says.
func TestRefusals(t *testing.T) {
	set, shares := split(t, "secret", 3, 5)
	other, others := split(t, "other secret", 3, 5)
	_, wrongPurpose := splitFor(t, "secret", "web_pin", 3, 5)
	_, larger := split(t, "secret", 2, 4)
	altered := func(s *Share, change func(*Share)) *Share {
		c := *s
		c.value = slices.Clone(s.value)
		change(&c)
		return &c
	}
	flipped := altered(shares[1], func(s *Share) { s.value[20] ^= 1 })
	for _, c := range []struct {
		name   string
		shares []*Share
		use    Use
		kind   error
		says   string
		next   string
	}{
		{"none", nil, Use{}, ErrTooFew, "there is no share", "one set"},
		{"one", shares[:1], Use{}, ErrTooFew, "1 of the 3 shares that are needed are here", "bring 2 more of the shares 2, 3, 4, 5 of set " + set.ID().String()},
		{"two, with record", shares[3:], Use{Set: set}, ErrTooFew, "2 of the 3", "1 (alice), 2 (bob), 3 (carol)"},
		{"mixed", []*Share{shares[0], others[1], shares[2]}, Use{}, ErrMixed, "share 2 (bob): it belongs to set " + other.ID().String(), "leave it out"},
		{"mixed purposes", []*Share{wrongPurpose[0], shares[1], shares[2]}, Use{}, ErrMixed, "share 1 (alice): it belongs to set ", ""},
		{"mixed shapes", []*Share{shares[0], shares[1], larger[2]}, Use{}, ErrMixed, "share 3 (carol): it belongs", ""},
		{"a lower threshold", []*Share{shares[0], shares[1], altered(shares[2], func(s *Share) { s.Threshold = 2 })}, Use{}, ErrMixed, `share 3 (carol): it says 2 of 5 for "root_pin", and the others`, ""},
		{"all with a lower threshold", []*Share{altered(shares[0], func(s *Share) { s.Threshold = 2 }), altered(shares[1], func(s *Share) { s.Threshold = 2 })}, Use{}, ErrDamaged, "do not give its secret", "share verify"},
		{"twice", []*Share{shares[0], shares[1], shares[0]}, Use{}, ErrDuplicate, "share 1 (alice): it is given twice", ""},
		{"two of one number", []*Share{shares[0], shares[1], flipped}, Use{}, ErrDuplicate, "share 2 (bob): another share 2", ""},
		{"purpose", shares[:3], Use{Purpose: "web_pin"}, ErrPurpose, `share 1 (alice): it is for "root_pin", and the secret that is wanted is for "web_pin"`, "web_pin"},
		{"record of another", shares[:3], Use{Set: other}, ErrNotInSet, "share 1 (alice): it belongs to set", ""},
		{"altered, with record", []*Share{shares[0], flipped, shares[2]}, Use{Set: set}, ErrNotInSet, "share 2 (bob): it is well formed and is not the share that was handed out to bob", "reshare"},
		{"altered, without", []*Share{shares[0], flipped, shares[2]}, Use{}, ErrDamaged, "at least one was altered", "one more"},
		{"altered, one more", []*Share{shares[0], flipped, shares[2], shares[4]}, Use{}, ErrDamaged, "share 2 (bob): its checksum holds, and yet", "leave it out"},
		{"altered, last", []*Share{shares[0], shares[2], shares[4], flipped}, Use{}, ErrDamaged, "share 2 (bob): its checksum", ""},
		{"two altered", []*Share{flipped, altered(shares[0], func(s *Share) { s.value[0]++ }), shares[2], shares[3], shares[4]}, Use{}, ErrDamaged, "share 2 (bob) and share 1 (alice): ", ""},
		{"renumbered", []*Share{shares[0], shares[1], altered(shares[2], func(s *Share) { s.Index = 5 })}, Use{}, ErrDamaged, "do not give its secret", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Combine(c.shares, c.use)
			var fault *Fault
			if got != nil || !errors.Is(err, c.kind) || !errors.As(err, &fault) {
				t.Fatalf("%q, %v, want %v", got, err, c.kind)
			}
			if !strings.Contains(err.Error(), c.says) || !strings.Contains(fault.Next, c.next) || fault.Next == "" {
				t.Errorf("%q, next %q, want %q and %q", err, fault.Next, c.says, c.next)
			}
		})
	}
}

// TestProve finds a share that is not what the others make it, whichever it
// is.
func TestProve(t *testing.T) {
	set, shares := split(t, "secret", 3, 6)
	if err := set.Prove(shares); err != nil {
		t.Fatal(err)
	}
	if err := set.Prove(shares[1:]); !errors.Is(err, ErrTooFew) {
		t.Errorf("without the first: %v", err)
	}
	if err := set.Prove(append([]*Share{shares[1]}, shares[1:]...)); !errors.Is(err, ErrDuplicate) {
		t.Errorf("one twice: %v", err)
	}
	other := *set
	other.Digest[31] ^= 1 // which the set id does not show
	if err := other.Prove(shares); !errors.Is(err, ErrDamaged) {
		t.Errorf("another digest: %v", err)
	}
	if _, err := Combine(shares, Use{Set: &other}); !errors.Is(err, ErrNotInSet) {
		t.Errorf("combined against another digest: %v", err)
	}
	for i := range shares {
		wrong := *shares[i]
		wrong.value = slices.Clone(wrong.value)
		wrong.value[len(wrong.value)-1] ^= 0x80
		all := slices.Clone(shares)
		all[i] = &wrong
		if err := set.Prove(all); !errors.Is(err, ErrNotInSet) || !strings.HasPrefix(err.Error(), wrong.Label()) {
			t.Errorf("share %d altered: %v", i+1, err)
		}
		// A dealer who commits to what does not fit.
		lying := *set
		lying.Members = slices.Clone(set.Members)
		lying.Members[i].Commitment = wrong.Commitment()
		if err := lying.Prove(all); !errors.Is(err, ErrDamaged) {
			t.Errorf("share %d dealt wrong: %v", i+1, err)
		}
	}
}

func TestReadSetRefuses(t *testing.T) {
	set, _ := split(t, "secret", 2, 3)
	text := string(set.Encode())
	for _, c := range [][2]string{
		{`"threshold": 2`, `"threshold": 1`},
		{`"threshold": 2`, `"threshold": 2, "threshold": 2`},
		{`"threshold": 2`, `"threshold": 4`},
		{`"class": 32`, `"class": 33`},
		{`"index": 2`, `"index": 3`},
		{`"holder": "bob"`, `"holder": "alice"`},
		{`"holder": "bob"`, `"holder": "bo\u0062"`},
		{`"holder": "bob"`, `"owner": "bob"`},
		{`"purpose": "root_pin"`, `"purpose": ""`},
		{setFormat, "pki-share-set/2"},
		{`"digest": "`, `"digest": "00`},
	} {
		changed := strings.Replace(text, c[0], c[1], 1)
		if changed == text {
			t.Fatalf("%s is not in the record", c[0])
		}
		if _, err := ReadSet([]byte(changed)); err == nil {
			t.Errorf("%s for %s: accepted", c[1], c[0])
		}
	}
	if _, err := ReadSet([]byte(text + "{}")); err == nil {
		t.Error("something after the record: accepted")
	}
	if _, err := ReadSet(bytes.Repeat([]byte(" "), maxRecord+1)); err == nil {
		t.Error("too long: accepted")
	}
}

func TestGenerate(t *testing.T) {
	for _, length := range []int{0, 25, 129} {
		if _, err := Generate(&stream{}, length, nil); err == nil {
			t.Errorf("%d characters: made", length)
		}
	}
	plain, err := Generate(&stream{name: "g"}, 32, nil)
	if err != nil || len(plain) != 32 || strings.Trim(string(plain), letters) != "" || Entropy(32) != 160 {
		t.Fatalf("%q, %v", plain, err)
	}
	mixed, err := Generate(&stream{name: "g"}, 32, []byte("4 2 6 6 1"))
	if err != nil || bytes.Equal(mixed, plain) || strings.Trim(string(mixed), letters) != "" {
		t.Fatalf("with dice: %q, %v", mixed, err)
	}
	other, err := Generate(&stream{name: "h"}, 32, []byte("4 2 6 6 1"))
	if err != nil || bytes.Equal(mixed, other) {
		t.Fatalf("dice took the place of randomness: %q, %v", other, err)
	}
	if _, err := Generate(io.LimitReader(&stream{}, 31), 32, []byte("4 2 6 6 1")); err == nil {
		t.Error("made from dice when randomness had ended")
	}
}

// TestQuiet holds that a share that is printed by mistake shows nothing.
func TestQuiet(t *testing.T) {
	_, shares := split(t, "secret", 2, 2)
	text := fmt.Sprintf("%v %+v %#v %s", shares[0], shares[0], shares[0], shares)
	if strings.Contains(text, fmt.Sprintf("%v", shares[0].value[0:3])[1:8]) || strings.Contains(text, "value") {
		t.Error(text)
	}
	c := Correction{Line: 1, Word: 2, Read: "abandon", As: "zoo"}
	if text := fmt.Sprint(c); strings.Contains(text, "zoo") || strings.Contains(text, "abandon") {
		t.Error(text)
	}
	shares[0].Wipe()
	if !bytes.Equal(shares[0].value, make([]byte, len(shares[0].value))) {
		t.Error("wiped, and still there")
	}
}

// BenchmarkTenOfTwenty is the number that is promised: split, check every
// share, combine, in under 50 ms.
func BenchmarkTenOfTwenty(b *testing.B) {
	secret := []byte(strings.Repeat("s", 64))
	for b.Loop() {
		set, shares, err := Split(&stream{}, secret, Policy{Threshold: 10, Holders: people(20), Purpose: "root_pin"})
		if err != nil {
			b.Fatal(err)
		}
		for _, s := range shares {
			if err := set.Check(s); err != nil {
				b.Fatal(err)
			}
		}
		if _, err := Combine(shares[10:], Use{Set: set}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSplit(b *testing.B) {
	for b.Loop() {
		if _, _, err := Split(&stream{}, []byte("8hw2m0y4q9zr7c5kx1dn3tjv6fbgapes"), Policy{Threshold: 3, Holders: people(5), Purpose: "root_pin"}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCombine(b *testing.B) {
	_, shares := split(b, "8hw2m0y4q9zr7c5kx1dn3tjv6fbgapes", 3, 5)
	for b.Loop() {
		if _, err := Combine(shares[:3], Use{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadWords(b *testing.B) {
	_, shares := split(b, "8hw2m0y4q9zr7c5kx1dn3tjv6fbgapes", 3, 5)
	text := shares[0].Text()
	for b.Loop() {
		if _, err := Read(text); err != nil {
			b.Fatal(err)
		}
	}
}

var forms = []Form{FormJSON, FormWords, FormQR}
