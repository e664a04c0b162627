package plan

import (
	_ "embed"
	"strings"
	"sync"
)

// wordList is the PGP word list (Juola and Zimmermann, 1996): line n holds
// the two-syllable and the three-syllable word for byte n.
//
//go:embed words.txt
var wordList string

var words = sync.OnceValue(func() []string { return strings.Fields(wordList) })

// Words gives a digest as PGP words. Bytes at even places become
// two-syllable words and bytes at odd places three-syllable ones, so that a
// reader who skips or swaps one is heard. All bytes are given: whoever
// prepares a plan can choose both of two plans, so a short form would be
// weaker than it looks.
func Words(digest []byte) []string {
	spoken := make([]string, 0, len(digest))
	for i, b := range digest {
		spoken = append(spoken, words()[2*int(b)+i%2])
	}
	return spoken
}

// WordLines gives a digest as PGP words, eight to a line, in aligned columns.
func WordLines(digest []byte) []string {
	var lines []string
	spoken := Words(digest)
	for start := 0; start < len(spoken); start += 8 {
		var b strings.Builder
		for i, w := range spoken[start:min(start+8, len(spoken))] {
			if i > 0 {
				b.WriteString(strings.Repeat(" ", 12-min(11, len(spoken[start+i-1]))))
			}
			b.WriteString(w)
		}
		lines = append(lines, b.String())
	}
	return lines
}
