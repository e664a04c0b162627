package tbs

import (
	"encoding/asn1"
	"fmt"

	"pki.internal/spec"
)

// Frame gives what stands before and behind the entries of a list, when the
// entries together have size octets. It is how a list is built that is too
// long to hold: c.Entries is not used. The octets are those of Build.
func (c *CRL) Frame(k Keys, size int64) (head, tail []byte, err error) {
	empty := *c
	empty.Entries = nil
	whole, err := empty.Build(k)
	if err != nil {
		return nil, nil, err
	}
	if size == 0 {
		return whole, nil, nil
	}
	// The fields are cut where the entries go: before the extensions, which
	// are the last field.
	var list asn1.RawValue
	if _, err := asn1.Unmarshal(whole, &list); err != nil {
		return nil, nil, err
	}
	before := list.Bytes
	for rest := list.Bytes; len(rest) > 0; {
		var field asn1.RawValue
		start := len(list.Bytes) - len(rest)
		if rest, err = asn1.Unmarshal(rest, &field); err != nil {
			return nil, nil, err
		}
		if field.Class == asn1.ClassContextSpecific {
			before, tail = list.Bytes[:start], list.Bytes[start:]
		}
	}
	entries := appendHeader(nil, asn1.TagSequence|compound, size)
	total := int64(len(before)+len(entries)+len(tail)) + size
	if total > maxCRL {
		return nil, nil, fmt.Errorf("the CRL would have %d octets, more than the %d GiB that anybody reads; split it", total, maxCRL>>30)
	}
	head = appendHeader(nil, asn1.TagSequence|compound, total)
	head = append(append(head, before...), entries...)
	return head, tail, nil
}

// Envelope gives what stands before and behind size octets of a signed
// TBSCertList (RFC 5280 §5.1). It is Assemble for a list too long to hold.
func Envelope(size int64, a spec.Algorithm, signature []byte) (head, tail []byte, err error) {
	id, err := algorithmIdentifier(a)
	if err != nil {
		return nil, nil, err
	}
	if tail, err = asn1.Marshal(id); err != nil {
		return nil, nil, err
	}
	bits, err := asn1.Marshal(asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)})
	if err != nil {
		return nil, nil, err
	}
	tail = append(tail, bits...)
	return appendHeader(nil, asn1.TagSequence|compound, size+int64(len(tail))), tail, nil
}

const (
	compound = 0x20 // the bit of a tag that says so
	// maxCRL keeps lengths within four octets, with room for an envelope.
	maxCRL = 4<<30 - 1<<20
)

// appendHeader writes a tag and a length in DER.
func appendHeader(b []byte, tag byte, size int64) []byte {
	b = append(b, tag)
	if size < 0x80 {
		return append(b, byte(size))
	}
	width := 1
	for size>>(8*width) > 0 {
		width++
	}
	b = append(b, 0x80|byte(width))
	for i := width - 1; i >= 0; i-- {
		b = append(b, byte(size>>(8*i)))
	}
	return b
}

// PackedEntry is one revoked certificate of a long list.
type PackedEntry struct {
	Serial     []byte // big-endian, positive; leading zeros do not count
	Date       int64  // seconds since 1970
	Reason     int    // CRLReason; 0 is left out (RFC 5280 §5.3.1)
	Invalidity int64  // seconds since 1970, when HasInvalidity
	// HasInvalidity adds the day since when the key is not to be trusted
	// (RFC 5280 §5.3.2).
	HasInvalidity bool
	// Removed allows the reason removeFromCRL, which is for delta lists alone
	// (RFC 5280 §5.3.1).
	Removed bool
}

// Append writes an entry in DER behind b. The octets are those that Build
// writes for the same entry. Dates outside the years 1950 to 9999 and unknown
// reasons are the caller's fault, and refused.
func (e *PackedEntry) Append(b []byte) ([]byte, error) {
	serial := e.Serial
	for len(serial) > 0 && serial[0] == 0 {
		serial = serial[1:]
	}
	if len(serial) == 0 || len(serial) > 100 {
		return nil, fmt.Errorf("serial %x is not a positive number of at most 100 octets", e.Serial)
	}
	if !knownReason(e.Reason) && !(e.Removed && e.Reason == removeFromCRL) {
		return nil, fmt.Errorf("revocation of serial %x: %d is not a CRLReason", serial, e.Reason)
	}
	if !datable(e.Date) || (e.HasInvalidity && !datable(e.Invalidity)) {
		return nil, fmt.Errorf("revocation of serial %x: its date is not between the years 1950 and 9999", serial)
	}
	number := len(serial)
	if serial[0] >= 0x80 {
		number++
	}
	// Every length below fits one octet: 2+101 for the serial, 17 for the
	// date, 37 for the extensions; the entry's own may need two.
	size := 2 + number + dateSize(e.Date) + e.extensionSize()
	if size < 0x80 {
		b = append(b, asn1.TagSequence|compound, byte(size), asn1.TagInteger, byte(number))
	} else {
		b = appendHeader(b, asn1.TagSequence|compound, int64(size))
		b = append(b, asn1.TagInteger, byte(number))
	}
	if serial[0] >= 0x80 {
		b = append(b, 0)
	}
	b = append(b, serial...)
	b = appendDate(b, e.Date, e.Date >= year2050)
	return e.appendExtensions(b), nil
}

const removeFromCRL = 8

const (
	reasonSize     = 12
	invaliditySize = 26
	// reasonExtension is reasonCode in DER up to the reason (RFC 5280 §5.3.1).
	reasonExtension = "\x30\x0a\x06\x03\x55\x1d\x15\x04\x03\x0a\x01"
)

func (e *PackedEntry) extensionSize() int {
	size := 0
	if e.Reason != 0 {
		size += reasonSize
	}
	if e.HasInvalidity {
		size += invaliditySize
	}
	if size > 0 {
		size += 2
	}
	return size
}

func (e *PackedEntry) appendExtensions(b []byte) []byte {
	size := e.extensionSize()
	if size == 0 {
		return b
	}
	b = append(b, asn1.TagSequence|compound, byte(size-2))
	if e.Reason != 0 {
		b = append(append(b, reasonExtension...), byte(e.Reason))
	}
	if e.HasInvalidity {
		b = append(b, 0x30, invaliditySize-2, 0x06, 3, 0x55, 0x1d, 24, 0x04, 17)
		b = appendDate(b, e.Invalidity, true) // always GeneralizedTime (RFC 5280 §5.3.2)
	}
	return b
}

// year2050 is when dates change from UTCTime to GeneralizedTime
// (RFC 5280 §5.1.2.6).
const (
	year1950  = -631152000
	year2050  = 2524608000
	year10000 = 253402300800
)

func datable(seconds int64) bool { return seconds >= year1950 && seconds < year10000 }

func dateSize(seconds int64) int {
	if seconds >= year2050 {
		return 17
	}
	return 15
}

func appendDate(b []byte, seconds int64, generalized bool) []byte {
	of := seconds % 86400
	if of < 0 {
		of += 86400
	}
	year, month, day := civil((seconds - of) / 86400)
	if generalized {
		b = append(b, asn1.TagGeneralizedTime, 15)
		b = appendTwo(b, year/100)
	} else {
		b = append(b, asn1.TagUTCTime, 13)
	}
	clock := uint32(of)
	y, mo, d, h, mi, s := 2*(year%100), 2*month, 2*day, 2*(clock/3600), 2*(clock/60%60), 2*(clock%60)
	return append(b, twoDigits[y], twoDigits[y+1], twoDigits[mo], twoDigits[mo+1], twoDigits[d], twoDigits[d+1],
		twoDigits[h], twoDigits[h+1], twoDigits[mi], twoDigits[mi+1], twoDigits[s], twoDigits[s+1], 'Z')
}

// twoDigits has the numbers from 00 to 99.
const twoDigits = "00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748495051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899"

// civil gives the date of a day since 1970 in the Gregorian calendar. Years
// begin in March for the count, so that the leap day is the last of its year.
// Package time does the same several times slower.
func civil(days int64) (year, month, day int) {
	z := uint64(days + 719468)
	era := z / 146097
	doe := z % 146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	year, month, day = int(yoe+400*era), int(mp)+3, int(doy-(153*mp+2)/5)+1
	if month > 12 {
		return year + 1, month - 12, day
	}
	return year, month, day
}

func appendTwo(b []byte, v int) []byte { return append(b, twoDigits[2*v], twoDigits[2*v+1]) }
