package shamir

import (
	_ "embed"
	"fmt"
	"hash/crc32"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// wordList is the English list of BIP-39: 2048 words of three to eight
// letters, no two of which begin with the same four. A word carries eleven
// bits, so a share is a third shorter than with a list of 256; four letters of
// each are enough to type; and the list is printed in so many books and
// programs that it will be found when this program is not.
//
//go:embed words.txt
var wordList string

var words = sync.OnceValue(func() []string { return strings.Fields(wordList) })

// distinct is how many letters tell every two words of the list apart.
const distinct = 4

// Words gives the lines of a share, eight words each, the last two of which
// are parity.
func (s *Share) Words() []string {
	b := s.encode()
	defer clear(b)
	var lines []string
	for number := 1; (number-1)*dataWords*wordBits < 8*len(b); number++ {
		line := [symbols]uint16{uint16(number)}
		for i := range dataWords {
			line[1+i] = bitsAt(b, ((number-1)*dataWords+i)*wordBits)
		}
		restore(&line, symbols-2, symbols-1)
		text := make([]string, 0, lineWords)
		for _, symbol := range line[1:] {
			text = append(text, words()[symbol])
		}
		lines = append(lines, strings.Join(text, " "))
	}
	return lines
}

// bitsAt reads eleven bits, with zeros after the end.
func bitsAt(b []byte, at int) uint16 {
	var v uint16
	for i := at; i < at+wordBits; i++ {
		v <<= 1
		if i/8 < len(b) {
			v |= uint16(b[i/8] >> (7 - i%8) & 1)
		}
	}
	return v
}

// Correction is a word that was read as another than it stands there. Its
// words are part of a share: they are for the holder's own screen and go into
// no log, so JSON and String leave them out.
type Correction struct {
	Line int    `json:"line"`
	Word int    `json:"word"` // from 1
	Read string `json:"-"`    // "?" for one that could not be read
	As   string `json:"-"`
}

// String names the place, so that someone looks at the sheet.
func (c Correction) String() string {
	if _, known := lookUp(c.Read); !known {
		return fmt.Sprintf("line %d: word %d could not be read and was restored", c.Line, c.Word)
	}
	return fmt.Sprintf("line %d: word %d was wrong and was corrected", c.Line, c.Word)
}

// Transcript reads a share from its words, line by line.
type Transcript struct {
	bytes       []byte
	bits        int
	lines       int
	corrections []Correction
}

// Next gives the number of the line that is wanted, or 0 when all are there.
func (t *Transcript) Next() int {
	if lines, known := t.Lines(); known && t.lines >= lines {
		return 0
	}
	return t.lines + 1
}

// Lines gives how many lines the share has. That is known once the lengths of
// purpose and holder have been read.
func (t *Transcript) Lines() (n int, known bool) {
	length, known := size(t.bytes[:t.bits/8])
	perLine := dataWords * wordBits
	return (8*length + perLine - 1) / perLine, known
}

// Add reads the next line: eight words, each in full or by its first four
// letters, "?" for one that cannot be read. The line's number may stand before
// them. One wrong word is corrected and reported; after an error the line can
// be given again.
func (t *Transcript) Add(text string) ([]Correction, error) {
	number := t.lines + 1
	if t.Next() == 0 {
		return nil, &Fault{Kind: ErrDamaged, Line: number, Fact: fmt.Sprintf("the share ends with line %d", t.lines), Next: "remove what follows it"}
	}
	tokens := strings.Fields(strings.ToLower(text))
	for i, token := range tokens {
		tokens[i] = strings.TrimRight(token, ".,;:)") // which people put after words and numbers
	}
	if len(tokens) > 0 {
		if given, err := strconv.Atoi(tokens[0]); err == nil {
			if given != number {
				return nil, &Fault{Kind: ErrDamaged, Line: number, Fact: fmt.Sprintf("it is numbered %d", given), Next: "give the lines in order, every one of them"}
			}
			tokens = tokens[1:]
		}
	}
	if len(tokens) != lineWords {
		return nil, &Fault{Kind: ErrDamaged, Line: number, Fact: fmt.Sprintf("it has %d words, and a line has %d", len(tokens), lineWords), Next: "write ? for a word that cannot be read"}
	}
	line, corrections, err := readLine(number, tokens)
	if err != nil {
		return nil, err
	}
	t.append(line)
	t.lines++
	t.corrections = append(t.corrections, corrections...)
	return corrections, nil
}

// readLine turns words into symbols and mends them.
func readLine(number int, tokens []string) (*[symbols]uint16, []Correction, error) {
	line := &[symbols]uint16{uint16(number)}
	var lost []int
	for i, token := range tokens {
		symbol, ok := lookUp(token)
		if !ok {
			lost = append(lost, i+1)
			continue
		}
		line[i+1] = symbol
	}
	sheet := "compare the line with the sheet, word by word"
	at := func(fact string, args ...any) error {
		return &Fault{Kind: ErrDamaged, Line: number, Fact: fmt.Sprintf(fact, args...), Next: sheet}
	}
	changed := lost
	switch len(lost) {
	case 0:
		place, ok := correct(line)
		switch {
		case !ok:
			return nil, nil, at("more than one word is wrong")
		case place == 0:
			return nil, nil, at("this is line %d of a share", line[0])
		case place > 0:
			changed = []int{place}
		}
	case 1:
		// The other parity word is left to show a second mistake. Whatever is
		// restored beside the lost word must come out as it was read.
		other := 1 + lost[0]%lineWords
		was := line[other]
		line[other] = 0
		restore(line, lost[0], other)
		if line[other] != was {
			return nil, nil, at("word %d cannot be read, and another word is wrong", lost[0])
		}
	case 2:
		restore(line, lost[0], lost[1])
	default:
		return nil, nil, at("%d words cannot be read, and parity restores two of a line", len(lost))
	}
	var corrections []Correction
	for _, place := range changed {
		corrections = append(corrections, Correction{Line: number, Word: place, Read: tokens[place-1], As: words()[line[place]]})
	}
	return line, corrections, nil
}

// lookUp finds a word by itself or by its first four letters.
func lookUp(token string) (uint16, bool) {
	i, found := slices.BinarySearch(words(), token)
	if !found && (len(token) < distinct || i == len(words()) || !strings.HasPrefix(words()[i], token)) {
		return 0, false
	}
	return uint16(i), true
}

func (t *Transcript) append(line *[symbols]uint16) {
	for _, symbol := range line[1 : 1+dataWords] {
		for bit := wordBits - 1; bit >= 0; bit-- {
			if t.bits%8 == 0 {
				t.bytes = append(t.bytes, 0)
			}
			t.bytes[t.bits/8] |= byte(symbol>>bit&1) << (7 - t.bits%8)
			t.bits++
		}
	}
}

// Share gives the share when all its lines have been read.
func (t *Transcript) Share() (*Share, []Correction, error) {
	if next := t.Next(); next > 0 {
		fact := fmt.Sprintf("the words end after line %d", t.lines)
		if lines, known := t.Lines(); known {
			fact += fmt.Sprintf(" of %d", lines)
		}
		return nil, nil, &Fault{Kind: ErrDamaged, Fact: fact, Next: "give every line"}
	}
	length, _ := size(t.bytes)
	for _, rest := range t.bytes[length:] {
		if rest != 0 {
			return nil, nil, t.suspect("what fills the last line is not zero")
		}
	}
	s, err := parse(t.bytes[:length])
	if err != nil {
		return nil, nil, t.suspect(err.Error())
	}
	return s, t.corrections, nil
}

// suspect points at the lines that were corrected, for the mistake is most
// likely there.
func (t *Transcript) suspect(fact string) error {
	f := &Fault{Kind: ErrDamaged, Fact: "every line holds by itself, and together they are not a share: " + fact, Next: "check that all lines are of one sheet and in order"}
	var lines []string
	for _, c := range t.corrections {
		lines = append(lines, c.String())
	}
	if len(lines) > 0 {
		f.Line = t.corrections[0].Line
		f.Next = "look at what was corrected: " + strings.Join(lines, "; ")
	}
	return f
}

// Wipe overwrites what was read.
func (t *Transcript) Wipe() { clear(t.bytes[:cap(t.bytes)]) }

// Lines gives how many lines of words the share of a member has.
func (s *Set) Lines(m Member) int {
	length := headSize + len(s.Purpose) + 1 + len(m.Holder) + payloadOverhead + s.Class + crc32.Size
	perLine := dataWords * wordBits
	return (8*length + perLine - 1) / perLine
}
