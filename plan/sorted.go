package plan

import (
	"bytes"
	"slices"
	"strconv"
	"unicode/utf8"
)

// canonizer puts the JSON that encoding/json writes into the canonical form of
// RFC 8785: members in the order of their names, strings with no more escapes
// than they need. It knows what plans and ledgers hold and gives up on all else,
// which is then left to the library: fractions and large numbers, names beyond
// ASCII, doubled names, surrogates.
type canonizer struct {
	in   []byte
	at   int
	out  []byte
	swap []byte // members on their way into order
}

// member is one of an object: its name without quotes, and where it stands in
// out.
type member struct{ name, from, colon, to int }

// canonize gives the canonical form of an object or array, or false.
func canonize(text []byte) ([]byte, bool) {
	if len(text) == 0 || text[0] != '{' && text[0] != '[' {
		return nil, false
	}
	c := &canonizer{in: text, out: make([]byte, 0, len(text))}
	if !c.value() || c.at != len(text) {
		return nil, false
	}
	return c.out, true
}

func (c *canonizer) value() bool {
	switch b := c.peek(); {
	case b == '{':
		return c.object()
	case b == '[':
		return c.array()
	case b == '"':
		_, ok := c.text()
		return ok
	case b == '-' || b >= '0' && b <= '9':
		return c.number()
	}
	for _, word := range []string{"true", "false", "null"} {
		if bytes.HasPrefix(c.in[c.at:], []byte(word)) {
			c.at += len(word)
			c.out = append(c.out, word...)
			return true
		}
	}
	return false
}

// peek gives the next byte, 0 at the end.
func (c *canonizer) peek() byte {
	if c.at < len(c.in) {
		return c.in[c.at]
	}
	return 0
}

// take moves a byte over, if it is the next one.
func (c *canonizer) take(b byte) bool {
	if c.peek() != b {
		return false
	}
	c.at++
	c.out = append(c.out, b)
	return true
}

func (c *canonizer) array() bool {
	c.take('[')
	if c.take(']') {
		return true
	}
	for {
		if !c.value() {
			return false
		}
		if !c.take(',') {
			return c.take(']')
		}
	}
}

func (c *canonizer) object() bool {
	c.take('{')
	if c.take('}') {
		return true
	}
	begin := len(c.out)
	var room [24]member
	members := room[:0]
	for {
		m := member{from: len(c.out), name: len(c.out) + 1}
		ascii, ok := c.text()
		if m.colon = len(c.out); !ok || !ascii || !c.take(':') || !c.value() {
			return false
		}
		m.to = len(c.out)
		members = append(members, m)
		if !c.take(',') {
			break
		}
	}
	return c.take('}') && c.order(members, begin)
}

// order puts the members of the object that has just ended into the order of
// their names. ASCII sorts as UTF-16 does.
func (c *canonizer) order(members []member, begin int) bool {
	name := func(m member) []byte { return c.out[m.name : m.colon-1] }
	compare := func(a, b member) int { return bytes.Compare(name(a), name(b)) }
	sorted := slices.IsSortedFunc(members, compare)
	if !sorted {
		slices.SortFunc(members, compare)
	}
	for i := 1; i < len(members); i++ {
		if compare(members[i-1], members[i]) == 0 {
			return false
		}
	}
	if sorted {
		return true
	}
	c.swap = c.swap[:0]
	for _, m := range members {
		c.swap = append(append(c.swap, c.out[m.from:m.to]...), ',')
	}
	copy(c.out[begin:], c.swap[:len(c.swap)-1])
	return true
}

// number takes whole numbers that a float64 holds: those look the same there.
func (c *canonizer) number() bool {
	begin := c.at
	if c.peek() == '-' {
		c.at++
	}
	digits := c.at
	for b := c.peek(); b >= '0' && b <= '9'; b = c.peek() {
		c.at++
	}
	n := c.at - digits
	if n == 0 || n > 15 || c.in[digits] == '0' && (n > 1 || digits > begin) {
		return false
	}
	if b := c.peek(); b == '.' || b == 'e' || b == 'E' {
		return false
	}
	c.out = append(c.out, c.in[begin:c.at]...)
	return true
}

// text takes a string, and says whether all of it is ASCII without escapes,
// which names have to be.
func (c *canonizer) text() (plain, ok bool) {
	if !c.take('"') {
		return false, false
	}
	plain = true
	for c.at < len(c.in) {
		run := c.at
		for c.at < len(c.in) && c.in[c.at] != '"' && c.in[c.at] != '\\' {
			if b := c.in[c.at]; b < 0x20 {
				return false, false
			} else if b >= utf8.RuneSelf {
				plain = false
			}
			c.at++
		}
		c.out = append(c.out, c.in[run:c.at]...)
		if c.take('"') {
			return plain, utf8.Valid(c.in[run : c.at-1])
		}
		if plain = false; !utf8.Valid(c.in[run:c.at]) || !c.escape() {
			return false, false
		}
	}
	return false, false
}

// escape takes an escape, as short as RFC 8785 §3.2.2.2 wants it.
func (c *canonizer) escape() bool {
	if c.at+1 >= len(c.in) {
		return false
	}
	switch b := c.in[c.at+1]; b {
	case '"', '\\', 'b', 'f', 'n', 'r', 't':
		c.out = append(c.out, '\\', b)
		c.at += 2
		return true
	case 'u':
	default:
		return false
	}
	if c.at+6 > len(c.in) {
		return false
	}
	digits := c.in[c.at+2 : c.at+6]
	r, err := strconv.ParseUint(string(digits), 16, 16)
	switch {
	case err != nil || r == '"' || r == '\\' || r >= 0xd800 && r < 0xe000:
		return false
	case r < 0x20: // encoding/json has written the short ones short
		if r >= 8 && r <= 13 && r != 11 || !bytes.Equal(digits, bytes.ToLower(digits)) {
			return false
		}
		c.out = append(c.out, c.in[c.at:c.at+6]...)
	default:
		c.out = utf8.AppendRune(c.out, rune(r))
	}
	c.at += 6
	return true
}
