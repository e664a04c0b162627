package lint

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// readEstate reads the facts of a fixture, which is written by hand.
func readEstate(t testing.TB, file string) Estate {
	t.Helper()
	text, err := os.ReadFile(file)
	noError(t, err)
	var e Estate
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	noError(t, decoder.Decode(&e))
	return e
}

func TestEstateFixtures(t *testing.T) {
	l := mustNew(t, "private")
	for _, r := range l.Rules() {
		if r.Object != ObjectEstate {
			continue
		}
		for _, verdict := range []string{"pass", "fail"} {
			e := readEstate(t, filepath.Join("testdata", ObjectEstate, r.ID+"."+verdict+".json"))
			var want []string
			if verdict == "fail" {
				want = []string{fmt.Sprintf("%s %s", r.Severity, r.ID)}
			}
			if got := slices.Compact(words(l.Estate(e, testNow))); !slices.Equal(got, want) {
				t.Errorf("%s.%s: findings are %q, want %q", r.ID, verdict, got, want)
			}
		}
	}
}

// TestNoFactsNoFindings shows that nothing is said of what is not known.
func TestNoFactsNoFindings(t *testing.T) {
	l := mustNew(t, "private")
	for name, e := range map[string]Estate{
		"nothing": {}, "an empty ledger": {Ledger: &LedgerFacts{}}, "an empty ceremony": {Ceremony: &CeremonyFacts{}},
		"one authority": {Authorities: []EstateAuthority{{Address: "authority.root"}}},
	} {
		if got := l.Estate(e, time.Time{}); len(got) > 0 {
			t.Errorf("%s: findings are %v", name, words(got))
		}
	}
}

// TestSecretsOfAnEstate shows what counts as a secret, and that none is shown.
func TestSecretsOfAnEstate(t *testing.T) {
	for line, want := range map[string]int{
		`pin = "canary"`: 1, `  so_pin="canary"`: 1, `"password": "canary",`: 1, `identity = "AGE-SECRET-KEY-1CANARY"`: 1,
		`-----BEGIN EC PRIVATE KEY-----`: 1, `pin = secret.root_pin`: 0, `pin = "${secret.root_pin}"`: 0, `password_file = "pw.txt"`: 0,
		`spin = "canary"`: 0, `description = "the pin is in the safe"`: 0,
	} {
		got := mustNew(t, "private").Estate(Estate{Texts: []File{{Path: "estate.pki.hcl", Data: []byte("\n" + line)}}}, testNow)
		if len(got) != want {
			t.Errorf("%s: findings are %v, want %d", line, got, want)
		}
		if len(got) > 0 && (bytes.Contains([]byte(got[0].Detail), []byte("canary")) || !bytes.Contains([]byte(got[0].Detail), []byte("estate.pki.hcl, line 2"))) {
			t.Errorf("%s: detail is %q", line, got[0].Detail)
		}
	}
}

// TestTreeHead compares with the tree of RFC 6962 over leaves of one octet,
// computed step by step.
func TestTreeHead(t *testing.T) {
	a, b, c := []byte("a"), []byte("b"), []byte("c")
	two := treeHead([][]byte{a, b})
	if got, want := treeHead([][]byte{a, b, c}), treeHead([][]byte{two, c}); !bytes.Equal(got, want) {
		t.Errorf("three leaves are %x, want %x", got, want)
	}
	if bytes.Equal(two, treeHead([][]byte{b, a})) || !bytes.Equal(treeHead([][]byte{a}), a) {
		t.Error("the order of leaves does not matter, or one leaf is not its own head")
	}
}
