package shamir

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Every limit of the format, each with its reason.
const (
	// A threshold of 1 is a copy for everyone: whoever wants that encrypts to
	// several recipients and does not pay for shares.
	MinThreshold = 2
	// More holders than this are never all drilled in a year. The format has
	// room for 255; a reader that refuses more needs no memory for them.
	MaxShares = 32
	// Longer secrets make sheets that nobody types without giving up. Keys are
	// longer; the password that encrypts them is not.
	MaxSecret = 128
	// Purpose and holder are typed with the share, at one word for eleven bits.
	MaxLabel = 64
	// 26 characters of 32 letters are 130 bits: the least that nobody guesses
	// from a digest that leaked, ever.
	MinGenerated = 26
	// The longest share is 37 lines of words; with comments it stays below.
	maxText = 16 << 10
	// An age file adds a header for its recipient, of up to 2 KiB for hybrid
	// keys, and plugins may write more.
	maxEncrypted = 64 << 10
	// A set record has a line for each holder.
	maxRecord = 64 << 10
	// How many subsets are tried to find out which share is the wrong one.
	maxSearch = 5000

	// 128 bits of blinding: as hard to guess as the shortest secret that this
	// package makes, and 12 words shorter than 256 would be.
	blindingSize    = 16
	payloadOverhead = blindingSize + 1 // and the length byte
	setIDSize       = 16
	version         = 1
)

// classes are the lengths that secrets are padded to, so that a share shows a
// class and not a length.
func classes() []int { return []int{32, 64, MaxSecret} }

// Class gives the length to which a secret of so many bytes is padded, 0 when it
// is too long.
func Class(length int) int {
	for _, c := range classes() {
		if length <= c {
			return c
		}
	}
	return 0
}

func classCode(size int) byte {
	for i, c := range classes() {
		if c == size {
			return byte(i + 1)
		}
	}
	return 0
}

func classSize(code byte) (int, bool) {
	if code == 0 || int(code) > len(classes()) {
		return 0, false
	}
	return classes()[code-1], true
}

// validLabel says why a text cannot be a purpose or a holder.
func validLabel(s string) error {
	switch {
	case s == "":
		return fmt.Errorf("it is empty")
	case len(s) > MaxLabel:
		return fmt.Errorf("it has %d bytes; %d are the most, because they are typed with the share", len(s), MaxLabel)
	case !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) || r == utf8.RuneError }):
		return fmt.Errorf("it has characters that do not print")
	case strings.TrimSpace(s) != s:
		return fmt.Errorf("it begins or ends with a space")
	}
	return nil
}
