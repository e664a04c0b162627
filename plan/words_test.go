package plan_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"slices"
	"strings"
	"testing"

	"pki.internal/plan"
)

// TestWordList pins the list: the hash is that of all two-syllable words and
// then all three-syllable ones, a word to a line without a last newline.
func TestWordList(t *testing.T) {
	text, err := os.ReadFile("words.txt")
	if err != nil {
		t.Fatal(err)
	}
	var even, odd []string
	for i, w := range strings.Fields(string(text)) {
		if i%2 == 0 {
			even = append(even, w)
		} else {
			odd = append(odd, w)
		}
	}
	sum := sha256.Sum256([]byte(strings.Join(append(even, odd...), "\n")))
	if got := hex.EncodeToString(sum[:]); got != "e9b7b0052233a74aa56724ed3f79c272036aed68d8f4c0856e833c8043b9ac62" {
		t.Errorf("the list has hash %s", got)
	}
}

// TestWords uses the vector of IANA's key ceremony tools (docs/usage.md of
// dnssec-keytools).
func TestWords(t *testing.T) {
	sum := sha256.Sum256([]byte("hello, world\n"))
	got := plan.Words(sum[:])
	want := strings.Fields("music customer waffle consensus flagpole Orlando goggles suspicious")
	if len(got) != 32 || !slices.Equal(got[:8], want) {
		t.Errorf("got %q", got)
	}
	lines := plan.WordLines(sum[:])
	if len(lines) != 4 || strings.Join(strings.Fields(strings.Join(lines, " ")), " ") != strings.Join(got, " ") {
		t.Errorf("lines %q", lines)
	}
}
