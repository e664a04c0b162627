package revocation

import (
	"bytes"
	"math/bits"

	"pki.internal/lint/crlwalk"
	"pki.internal/spec"
)

// flat reads the lines that programs write: JSON objects of plain strings and
// small numbers, without escapes. It makes no garbage, which for millions of
// lines is most of the work. What is not so plain, and everything that is wrong,
// it leaves to the reader that knows all of JSON.
type flat struct {
	members [maxMembers]member
	reasons reasonMemo
}

// reasonMemo remembers the last reason, which is often the next one's too.
type reasonMemo struct {
	word   []byte
	reason spec.Reason
}

type member struct {
	name, value []byte
	text        bool
}

// maxMembers is above what any form has: step-ca's has nine.
const maxMembers = 24

// record reads a line; false leaves it to the other reader.
func (f *flat) record(line []byte, r *Record) bool {
	all, ok := f.object(line)
	if !ok {
		return false
	}
	*r = Record{Expires: Unknown, Invalidity: Unknown}
	for _, m := range all {
		if string(m.name) == "Serial" {
			return f.stepRecord(all, r)
		}
	}
	return f.ownRecord(all, r)
}

// object takes a line apart into members with different names.
func (f *flat) object(line []byte) ([]member, bool) {
	rest, ok := after(line, '{')
	if !ok {
		return nil, false
	}
	all := f.members[:0]
	for {
		var m member
		if m.name, rest, ok = plainString(rest); !ok || len(all) == maxMembers {
			return nil, false
		}
		for _, other := range all {
			if bytes.Equal(other.name, m.name) {
				return nil, false
			}
		}
		if rest, ok = after(rest, ':'); !ok || len(rest) == 0 {
			return nil, false
		}
		if m.text = rest[0] == '"'; m.text {
			m.value, rest, ok = plainString(rest)
		} else {
			m.value, rest, ok = plainWord(rest)
		}
		if !ok {
			return nil, false
		}
		all = append(all, m)
		if next, more := after(rest, ','); more {
			rest = next
			continue
		}
		rest, ok = after(rest, '}')
		return all, ok && len(rest) == 0
	}
}

// after expects an octet of the syntax, with spaces around it.
func after(b []byte, octet byte) ([]byte, bool) {
	b = withoutSpaces(b)
	if len(b) == 0 || b[0] != octet {
		return b, false
	}
	return withoutSpaces(b[1:]), true
}

func withoutSpaces(b []byte) []byte {
	for len(b) > 0 && b[0] == ' ' {
		b = b[1:]
	}
	return b
}

// plainString reads a string of printable ASCII without escapes.
func plainString(b []byte) (text, rest []byte, ok bool) {
	if len(b) == 0 || b[0] != '"' {
		return nil, b, false
	}
	for i, c := range b[1:] {
		switch {
		case c == '"':
			return b[1 : 1+i], b[2+i:], true
		case c == '\\' || c < ' ' || c > '~':
			return nil, b, false
		}
	}
	return nil, b, false
}

// plainWord reads true, false, null, or a number below 1000.
func plainWord(b []byte) (word, rest []byte, ok bool) {
	n := 0
	for n < len(b) && (b[n] >= 'a' && b[n] <= 'z' || b[n] >= '0' && b[n] <= '9') {
		n++
	}
	word, rest = b[:n], b[n:]
	switch string(word) {
	case "true", "false", "null":
		return word, rest, true
	}
	_, ok = smallNumber(word)
	return word, rest, ok
}

func smallNumber(b []byte) (int, bool) {
	if len(b) == 0 || len(b) > 3 || len(b) > 1 && b[0] == '0' {
		return 0, false
	}
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int(c-'0')
	}
	return n, true
}

// stepRecord reads step-ca's form.
func (f *flat) stepRecord(all []member, r *Record) bool {
	dated := false
	for _, m := range all {
		ok := true
		switch string(m.name) {
		case "Serial":
			r.Serial, ok = shortDecimal(m.value)
			ok = ok && m.text
		case "ReasonCode":
			var code int
			code, ok = smallNumber(m.value)
			ok = ok && !m.text && code <= 10 && code != 7
			r.Reason = spec.Reason(code)
		case "RevokedAt":
			r.Date, ok = plainDate(m.value)
			ok, dated = ok && m.text, true
		case "ExpiresAt":
			r.Expires, ok = plainDate(m.value)
			ok = ok && m.text
		}
		if !ok {
			return false
		}
	}
	return dated
}

// ownRecord reads our own form.
func (f *flat) ownRecord(all []member, r *Record) bool {
	dated, named := false, false
	for _, m := range all {
		ok := m.text
		switch string(m.name) {
		case "serial":
			if len(m.value) == 0 || len(m.value)%2 != 0 || len(m.value) > 2*serialSize || !ok {
				return false
			}
			var err error
			r.Serial, err = hexSerial(m.value)
			ok, named = err == nil, true
		case "date":
			r.Date, ok = plainDate(m.value)
			dated = true
		case "expires":
			r.Expires, ok = plainDate(m.value)
		case "invalidity":
			r.Invalidity, ok = plainDate(m.value)
		case "reason":
			var err error
			r.Reason, err = f.reasons.parse(m.value)
			ok = err == nil
		default:
			ok = false
		}
		if !ok || !m.text {
			return false
		}
	}
	return dated && named
}

func (m *reasonMemo) parse(word []byte) (spec.Reason, error) {
	if len(word) > 0 && string(word) == string(m.word) {
		return m.reason, nil
	}
	reason, err := spec.ParseReason(string(word))
	if err == nil {
		m.word, m.reason = append(m.word[:0], word...), reason
	}
	return reason, err
}

// plainDate reads RFC 3339 in UTC, with or without parts of a second, which are
// cut off. The year 1 is how Go writes no date at all.
func plainDate[T string | []byte](b T) (int64, bool) {
	if len(b) < 20 || b[4] != '-' || b[7] != '-' || b[10] != 'T' || b[13] != ':' || b[16] != ':' || b[len(b)-1] != 'Z' {
		return 0, false
	}
	if len(b) > 20 {
		if b[19] != '.' || len(b) == 21 || len(b) > 30 {
			return 0, false
		}
		for i := 20; i < len(b)-1; i++ {
			if b[i] < '0' || b[i] > '9' {
				return 0, false
			}
		}
	}
	compact := [15]byte{b[0], b[1], b[2], b[3], b[5], b[6], b[8], b[9], b[11], b[12], b[14], b[15], b[17], b[18], 'Z'}
	if string(compact[:4]) == "0001" {
		return 0, false
	}
	return crlwalk.ParseTime(0x18, compact[:])
}

// shortDecimal reads a decimal serial number of up to 48 digits, which fit its
// 20 octets.
func shortDecimal(b []byte) (Serial, bool) {
	var s Serial
	if len(b) == 0 || len(b) > 48 {
		return s, false
	}
	var words [3]uint64 // little-endian
	for _, c := range b {
		if c < '0' || c > '9' {
			return s, false
		}
		carry := uint64(c - '0')
		for i := range words {
			high, low := bits.Mul64(words[i], 10)
			sum, over := bits.Add64(low, carry, 0)
			words[i], carry = sum, high+over
		}
	}
	for i := range serialSize {
		s[serialSize-1-i] = byte(words[i/8] >> (8 * (i % 8)))
	}
	return s, s != (Serial{}) && words[2]>>32 == 0
}
