package crlwalk

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// Entry is one revoked certificate.
type Entry struct {
	Serial        []byte // big-endian, without leading zeros
	Date          int64  // seconds since 1970
	Reason        int    // CRLReason; 0 when the entry gives none
	Invalidity    int64  // seconds since 1970, when HasInvalidity
	HasInvalidity bool
	Faults        Faults
}

// Faults are what RFC 5280 forbids in an entry, although it can be read.
type Faults uint16

// The faults.
const (
	SerialNotPositive Faults = 1 << iota // §4.1.2.2
	SerialTooLong                        // §4.1.2.2: more than 20 octets
	DateForm                             // §5.1.2.6: UTCTime through 2049, GeneralizedTime after
	ReasonZero                           // §5.3.1: unspecified is left out
	ReasonUnknown                        // §5.3.1
	ReasonCritical                       // §5.3.1: not critical
	ReasonRemove                         // §5.3.1: removeFromCRL, in delta lists only
	Indirect                             // §5.3.3: the entry names another issuer
	CriticalUnknown                      // §5.3: a critical extension that nobody here knows
	ExtensionForm                        // an extension that cannot be read, or stands twice
)

// Words gives a phrase for each fault, in a fixed order.
func (f Faults) Words() []string {
	all := []string{
		"a serial number is not positive", "a serial number has more than 20 octets", "a date is in the wrong form for its year",
		"reason unspecified is written out", "a reason is unknown", "a reason is critical",
		"removeFromCRL stands in it", "an entry names another issuer (indirect CRL)",
		"an entry has a critical extension that is unknown", "an entry has an extension that cannot be read",
	}
	var words []string
	for i, word := range all {
		if f&(1<<i) != 0 {
			words = append(words, word)
		}
	}
	return words
}

// reasonPrefix is what nearly every entry with a reason ends in: its
// extensions, with reasonCode alone, up to the reason itself.
const reasonPrefix = "\x30\x0c\x30\x0a\x06\x03\x55\x1d\x15\x04\x03\x0a\x01"

// common reads the form that nearly every entry has: lengths of one octet, a
// serial number of at most 20 octets, a UTCTime, and no extension or the reason
// alone. It leaves every other entry, and whatever is wrong, to parse.
func (e *Entry) common(raw []byte) bool {
	const date = 15 // octets of a UTCTime with its header
	if len(raw) < 5+date || raw[1] >= 0x80 || raw[2] != tagInteger {
		return false
	}
	n := int(raw[3])
	if n == 0 || n > 20 || len(raw) < 4+n+date {
		return false
	}
	serial, rest := raw[4:4+n], raw[4+n:]
	if serial[0] == 0 && n > 1 && serial[1] >= 0x80 { // the sign
		serial = serial[1:]
	} else if serial[0] == 0 || serial[0] >= 0x80 {
		return false
	}
	if rest[0] != tagUTCTime || rest[1] != date-2 {
		return false
	}
	seconds, ok := ParseTime(tagUTCTime, rest[2:date])
	if !ok {
		return false
	}
	rest = rest[date:]
	if len(rest) == 0 {
		*e = Entry{Serial: serial, Date: seconds}
		return true
	}
	if len(rest) != len(reasonPrefix)+1 || string(rest[:len(reasonPrefix)]) != reasonPrefix {
		return false
	}
	*e = Entry{Serial: serial, Date: seconds}
	e.reason(rest[len(reasonPrefix)])
	return true
}

// parse reads revokedCertificate (RFC 5280 §5.1).
func (e *Entry) parse(raw []byte) bool {
	if e.common(raw) {
		return true
	}
	*e = Entry{}
	_, content, _, ok := readTLV(raw)
	if !ok {
		return false
	}
	tag, serial, rest, ok := readTLV(content)
	if !ok || tag != tagInteger || !e.serial(serial) {
		return false
	}
	tag, date, rest, ok := readTLV(rest)
	if !ok {
		return false
	}
	if e.Date, ok = ParseTime(tag, date); !ok {
		return false
	}
	if (tag == tagGeneralized) != (e.Date >= year2050) {
		e.Faults |= DateForm
	}
	if len(rest) == 0 {
		return true
	}
	return e.extensions(rest)
}

func (e *Entry) serial(b []byte) bool {
	if len(b) == 0 || (len(b) > 1 && (b[0] == 0 && b[1] < 0x80 || b[0] == 0xff && b[1] >= 0x80)) {
		return false // DER has one form for a number
	}
	if b[0] >= 0x80 {
		e.Faults |= SerialNotPositive
	}
	if len(b) > 20 {
		e.Faults |= SerialTooLong
	}
	for len(b) > 0 && b[0] == 0 {
		b = b[1:]
	}
	if len(b) == 0 {
		e.Faults |= SerialNotPositive
	}
	e.Serial = b
	return true
}

func (e *Entry) reason(code byte) {
	e.Reason = int(code)
	switch {
	case code == 0:
		e.Faults |= ReasonZero
	case code == 8:
		e.Faults |= ReasonRemove
	case code > 10 || code == 7:
		e.Faults |= ReasonUnknown
	}
}

// entryExtensions are reasonCode, invalidityDate and certificateIssuer.
var entryExtensions = []string{"\x55\x1d\x15", "\x55\x1d\x18", "\x55\x1d\x1d"}

// extensions reads crlEntryExtensions (RFC 5280 §5.3).
func (e *Entry) extensions(b []byte) bool {
	tag, list, rest, ok := readTLV(b)
	if !ok || tag != tagSequence || len(rest) > 0 || len(list) == 0 {
		return false
	}
	var seen [3]bool
	for len(list) > 0 {
		var one []byte
		if tag, one, list, ok = readTLV(list); !ok || tag != tagSequence {
			return false
		}
		id, critical, value, ok := readExtension(one)
		if !ok {
			return false
		}
		which := slices.Index(entryExtensions, string(id))
		switch {
		case which < 0 && critical:
			e.Faults |= CriticalUnknown
		case which < 0:
		case seen[which]:
			e.Faults |= ExtensionForm
		default:
			seen[which] = true
			e.extension(which, critical, value)
		}
	}
	return true
}

func (e *Entry) extension(which int, critical bool, value []byte) {
	tag, content, rest, ok := readTLV(value)
	if !ok || len(rest) > 0 {
		e.Faults |= ExtensionForm
		return
	}
	switch which {
	case 0:
		if tag != 0x0a || len(content) != 1 {
			e.Faults |= ExtensionForm
			return
		}
		if critical {
			e.Faults |= ReasonCritical
		}
		e.reason(content[0])
	case 1:
		if e.Invalidity, ok = ParseTime(tag, content); !ok || tag != tagGeneralized {
			e.Faults |= ExtensionForm
			return
		}
		e.HasInvalidity = true
	default:
		e.Faults |= Indirect
	}
}

func readExtension(b []byte) (id []byte, critical bool, value []byte, ok bool) {
	tag, id, b, ok := readTLV(b)
	if !ok || tag != 0x06 || len(id) == 0 {
		return nil, false, nil, false
	}
	tag, value, b, ok = readTLV(b)
	if ok && tag == 0x01 {
		if len(value) != 1 || value[0] != 0xff { // DER leaves FALSE out
			return nil, false, nil, false
		}
		critical = true
		tag, value, b, ok = readTLV(b)
	}
	return id, critical, value, ok && tag == 0x04 && len(b) == 0
}

// CompareSerials orders serial numbers without leading zeros by size.
func CompareSerials(a, b []byte) int {
	if len(a) != len(b) {
		if len(a) < len(b) {
			return -1
		}
		return 1
	}
	return bytes.Compare(a, b)
}

// year2050 is when dates change from UTCTime to GeneralizedTime
// (RFC 5280 §5.1.2.4).
const year2050 = 2524608000

// ParseTime reads UTCTime or GeneralizedTime as RFC 5280 §4.1.2.5 allows it:
// in UTC, with seconds and without fractions.
func ParseTime(tag byte, b []byte) (int64, bool) {
	century := 0
	switch {
	case tag == tagUTCTime && len(b) == 13:
	case tag == tagGeneralized && len(b) == 15:
		high, low := b[0]-'0', b[1]-'0'
		if high > 9 || low > 9 {
			return 0, false
		}
		century, b = 100*(10*int(high)+int(low)), b[2:]
	default:
		return 0, false
	}
	// Eight digits at a time: pairs of them become numbers in every second octet.
	first, second := binary.LittleEndian.Uint64(b), uint64(binary.LittleEndian.Uint32(b[8:]))|0x30303030<<32
	if !digits(first) || !digits(second) || b[12] != 'Z' {
		return 0, false
	}
	first, second = pairs(first), pairs(second)
	year, month, day, hour := int(first&0xff), int(first>>16&0xff), int(first>>32&0xff), int(first>>48)
	minute, sec := int(second&0xff), int(second>>16&0xff)
	switch {
	case tag == tagGeneralized:
		year += century
	case year < 50:
		year += 2000
	default:
		year += 1900
	}
	if month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || hour > 23 || minute > 59 || sec > 59 {
		return 0, false
	}
	return DaysSince1970(year, month, day)*86400 + int64(hour*3600+minute*60+sec), true
}

// digits reports whether all eight octets are decimal digits.
func digits(x uint64) bool {
	const zeros, highs = 0x3030303030303030, 0xf0f0f0f0f0f0f0f0
	return x&highs == zeros && (x+0x0606060606060606)&highs == zeros
}

// pairs turns eight digits into four numbers of 16 bits.
func pairs(x uint64) uint64 {
	x &= 0x0f0f0f0f0f0f0f0f
	return (x*10 + x>>8) & 0x00ff00ff00ff00ff
}

// before gives the days of a common year before each month, from 1, and of the
// whole year.
var before = [...]int16{0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365}

func daysIn(year, month int) int {
	if month == 2 && year%4 == 0 && (year%100 != 0 || year%400 == 0) {
		return 29
	}
	return int(before[month+1] - before[month])
}

// DaysSince1970 counts days in the Gregorian calendar.
func DaysSince1970(year, month, day int) int64 {
	if year > 1900 && year < 2100 { // every fourth year is a leap year
		days := 365*(year-1970) + (year-1969)>>2 + int(before[month]) + day - 1
		if month > 2 && year&3 == 0 {
			days++
		}
		return int64(days)
	}
	// Years begin in March for the count, so that the leap day is the last.
	if month <= 2 {
		year--
		month += 12
	}
	y := int64(year) + 400 // January of the year 0 belongs to one before
	return 365*y + y/4 - y/100 + y/400 + int64((153*(month-3)+2)/5+day-1) - 719468 - 146097
}
