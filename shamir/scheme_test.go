package shamir

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var groups = []GroupPolicy{
	{"berlin", 2, []string{"alice", "bob", "carol"}},
	{"lisbon", 2, []string{"dave", "erin"}},
	{"oslo", 3, []string{"frank", "gina", "hugo", "ida"}},
}

func grouped(t *testing.T) (*Scheme, []*Share, []byte) {
	t.Helper()
	secret := []byte("0123456789abcdefghjkmnpqrstvwxyz")
	scheme, shares, err := SplitGroups(rand.Reader, secret, "acme/root", 2, groups)
	if err != nil {
		t.Fatal(err)
	}
	return scheme, shares, secret
}

// TestEverySubsetOfGroups tries every subset of nine people in three groups:
// those that have enough people in enough groups give the secret, and the
// others an error, with the record and without it.
func TestEverySubsetOfGroups(t *testing.T) {
	scheme, shares, secret := grouped(t)
	if len(shares) != 9 || scheme.People() != 9 {
		t.Fatalf("%d shares, %d people", len(shares), scheme.People())
	}
	var all []*Share
	for i, s := range shares { // as they come back from paper
		r, err := Read(s.Text())
		if err != nil {
			t.Fatal(err)
		}
		if n, err := scheme.Find(r.Share); err != nil || n != i+1 {
			t.Fatalf("share %d is found as %d, %v", i+1, n, err)
		}
		if set, m := scheme.At(i + 1); set.ID() != s.Set || m.Holder != s.Holder {
			t.Errorf("share %d is at %s", i+1, m.Holder)
		}
		all = append(all, r.Share)
	}
	if err := scheme.Prove(all); err != nil {
		t.Fatal(err)
	}
	worked := 0
	for subset := range 1 << len(all) {
		var some []*Share
		count := map[SetID]int{}
		for i, s := range all {
			if subset>>i&1 == 1 {
				some = append(some, s)
				count[s.Set]++
			}
		}
		full := 0
		for i, set := range scheme.Groups {
			if count[set.ID()] >= groups[i].Threshold {
				full++
			}
		}
		have, err := scheme.Combine(some)
		bare, bareErr := CombineAll(some, Use{Purpose: "acme/root"})
		if full < 2 {
			if err == nil || bareErr == nil || have != nil || bare != nil || scheme.Enough(some) {
				t.Fatalf("subset %b gave %q, %q", subset, have, bare)
			}
			continue
		}
		worked++
		if err != nil || bareErr != nil || !bytes.Equal(have, secret) || !bytes.Equal(bare, secret) || !scheme.Enough(some) {
			t.Fatalf("subset %b gave %q (%v), %q (%v)", subset, have, err, bare, bareErr)
		}
	}
	if worked < 40 {
		t.Errorf("only %d subsets have enough", worked)
	}
}

func TestGroupsRefuse(t *testing.T) {
	scheme, shares, _ := grouped(t)
	_, other, err := SplitGroups(rand.Reader, []byte("another secret of another scheme"), "acme/root", 2, groups)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := scheme.Find(other[0]); !errors.Is(err, ErrNotInSet) {
		t.Errorf("a share of another scheme: %v", err)
	}
	if err := scheme.Prove(shares[:8]); !errors.Is(err, ErrTooFew) {
		t.Errorf("one share too few: %v", err)
	}
	if err := scheme.Prove(append(append([]*Share{}, shares[:8]...), other[8])); err == nil {
		t.Error("a share of another scheme was proven")
	}
	if secret, err := CombineAll([]*Share{shares[0], shares[1], other[3], other[4]}, Use{}); err == nil {
		t.Errorf("groups of two schemes gave %q", secret)
	}
	if secret, err := CombineAll(shares[:2], Use{}); err == nil {
		t.Errorf("one group gave %q", secret)
	}
	if secret, err := CombineAll(shares, Use{Purpose: "acme/door"}); !errors.Is(err, ErrPurpose) {
		t.Errorf("another purpose gave %q, %v", secret, err)
	}
	long := []GroupPolicy{{strings.Repeat("b", 50), 2, []string{"a", "b"}}, {"c", 2, []string{"c", "d"}}}
	if _, _, err := SplitGroups(rand.Reader, []byte("secret"), "acme/root", 2, long); err == nil {
		t.Error("a group with a long name was taken")
	}
	if _, _, err := SplitGroups(rand.Reader, make([]byte, MaxGrouped+1), "acme/root", 2, groups); err == nil {
		t.Error("a long secret was taken")
	}
	if want := scheme.Wanted(); want != "2 of berlin (2 of alice, bob, carol), lisbon (2 of dave, erin), oslo (3 of frank, gina, hugo, ida)" {
		t.Errorf("wanted is %q", want)
	}
}

// TestDecoderOfGroups has the program that is printed on every sheet recover a
// secret from two groups: each gives a share of the set above.
func TestDecoderOfGroups(t *testing.T) {
	_, shares, secret := grouped(t)
	dir := t.TempDir()
	write := func(name string, text []byte) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	program, list := write("recover.py", []byte(Decoder)), "words.txt"
	run := func(files ...string) []byte {
		out, err := exec.Command("python3", append([]string{program, list}, files...)...).Output()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	var upper []string
	for i, pair := range [][]*Share{shares[1:3], shares[3:5]} {
		var files []string
		for _, s := range pair {
			files = append(files, write(s.Holder, s.Text()))
		}
		upper = append(upper, write(fmt.Sprint(i), run(files...)))
	}
	if have := run(upper...); !bytes.Equal(have, secret) {
		t.Errorf("the groups give %q", have)
	}
}
