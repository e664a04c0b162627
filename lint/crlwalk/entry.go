package crlwalk

import (
	"bytes"
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
var reasonPrefix = []byte{0x30, 0x0c, 0x30, 0x0a, 0x06, 0x03, 0x55, 0x1d, 0x15, 0x04, 0x03, 0x0a, 0x01}

// parse reads revokedCertificate (RFC 5280 §5.1).
func (e *Entry) parse(raw []byte) bool {
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
	if len(rest) == len(reasonPrefix)+1 && bytes.HasPrefix(rest, reasonPrefix) {
		e.reason(rest[len(reasonPrefix)])
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
	year, bad := 0, byte(0)
	two := func(i int) int {
		high, low := b[i]-'0', b[i+1]-'0'
		if high > 9 || low > 9 {
			bad = 1
		}
		return int(high)*10 + int(low)
	}
	switch {
	case tag == tagUTCTime && len(b) == 13:
		if year = 1900 + two(0); year < 1950 {
			year += 100
		}
		b = b[2:]
	case tag == tagGeneralized && len(b) == 15:
		year = 100*two(0) + two(2)
		b = b[4:]
	default:
		return 0, false
	}
	month, day, hour, minute, second := two(0), two(2), two(4), two(6), two(8)
	if bad != 0 || b[10] != 'Z' || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) ||
		hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	return DaysSince1970(year, month, day)*86400 + int64(hour*3600+minute*60+second), true
}

func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// DaysSince1970 counts days in the Gregorian calendar. Years begin in March
// for the count, so that the leap day is the last of its year.
func DaysSince1970(year, month, day int) int64 {
	if month <= 2 {
		year--
		month += 12
	}
	y := int64(year)
	return 365*y + y/4 - y/100 + y/400 + int64((153*(month-3)+2)/5+day-1) - 719468
}
