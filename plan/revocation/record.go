// Package revocation answers one question: which certificates are revoked,
// since when and why?
//
// It reads what others write down (openssl's index.txt, CSV, JSON lines,
// certificates, revocation lists), sorts it with bounded memory, and holds it
// against the list before, so that no revocation is lost or weakened unnoticed.
package revocation

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"math/big"
	"strings"
	"time"

	"pki.internal/plan/tbs"
	"pki.internal/spec"
)

// Record is one revoked certificate.
type Record struct {
	Serial     Serial
	Date       int64 // seconds since 1970
	Reason     spec.Reason
	Expires    int64 // of the certificate; Unknown where nobody says
	Invalidity int64 // since when the key is not trusted; Unknown where nobody says
}

// Unknown stands for a date that is not given.
const Unknown = math.MinInt64

// Serial is a positive serial number of at most 20 octets, big-endian with
// leading zeros, so that its octets sort as the number does.
type Serial [serialSize]byte

// serialSize is the most that RFC 5280 §4.1.2.2 has anybody handle.
const serialSize = 20

// Compare orders serial numbers.
func (s Serial) Compare(other Serial) int { return bytes.Compare(s[:], other[:]) }

// Octets gives the number without leading zeros.
func (s *Serial) Octets() []byte { return bytes.TrimLeft(s[:], "\x00") }

// String is the number in lower-case hex, whole octets.
func (s Serial) String() string { return hex.EncodeToString(s.Octets()) }

// SerialOf takes a big-endian number.
func SerialOf(b []byte) (Serial, error) {
	var s Serial
	for len(b) > 0 && b[0] == 0 {
		b = b[1:]
	}
	// RFC 5280 §4.1.2.2: positive, at most 20 octets.
	if len(b) == 0 || len(b) > serialSize {
		return s, fmt.Errorf("serial number %x is not of 1 to %d octets", b[:min(len(b), 30)], serialSize)
	}
	copy(s[serialSize-len(b):], b)
	return s, nil
}

// ParseSerial reads hexadecimal, with 0x before it or colons in it or neither.
func ParseSerial(text string) (Serial, error) {
	if s, ok := plainSerial(text); ok {
		return s, nil
	}
	plain := strings.ReplaceAll(strings.TrimPrefix(strings.TrimPrefix(text, "0x"), "0X"), ":", "")
	if len(plain)%2 != 0 {
		plain = "0" + plain
	}
	if len(plain) > maxDigits {
		return Serial{}, fmt.Errorf("serial number %.50q… is longer than any", text)
	}
	octets, err := hex.DecodeString(plain)
	if err != nil || plain == "" {
		return Serial{}, fmt.Errorf("serial number %q is not hexadecimal", text)
	}
	return SerialOf(octets)
}

// plainSerial reads whole octets of hexadecimal without anything around them, as
// nearly all serial numbers are written.
func plainSerial(text string) (Serial, bool) {
	text = strings.TrimPrefix(text, "0x")
	var s Serial
	var digits [2 * serialSize]byte
	n := copy(digits[:], text)
	if n != len(text) || n == 0 || n%2 != 0 {
		return s, false
	}
	_, err := hex.Decode(s[serialSize-n/2:], digits[:n])
	return s, err == nil && s != (Serial{})
}

// maxDigits bounds what is decoded of a serial number; 20 octets have 40
// hexadecimal and 49 decimal digits.
const maxDigits = 100

func decimalSerial(text string) (Serial, error) {
	if text == "" || len(text) > maxDigits || strings.Trim(text, "0123456789") != "" {
		return Serial{}, fmt.Errorf("serial number %.50q is not decimal", text)
	}
	n, _ := new(big.Int).SetString(text, 10)
	return SerialOf(n.Bytes())
}

// recordSize is what a record takes in a scratch file: a serial number, three
// dates of five octets, and a reason.
const recordSize = serialSize + 3*dateSize + 1

const (
	dateSize = 5
	// firstDate is a little before the year 0. Dates in text have four digits
	// for the year, so that seconds since then fit 40 bits; 0 is Unknown.
	firstDate = -62168000000
)

func (r *Record) pack(b *[recordSize]byte) {
	copy(b[:serialSize], r.Serial[:])
	packDate(b[20:25], r.Date)
	packDate(b[25:30], r.Expires)
	packDate(b[30:35], r.Invalidity)
	b[35] = byte(r.Reason)
}

func (r *Record) unpack(b *[recordSize]byte) {
	copy(r.Serial[:], b[:serialSize])
	r.Date = unpackDate(b[20:25])
	r.Expires = unpackDate(b[25:30])
	r.Invalidity = unpackDate(b[30:35])
	r.Reason = spec.Reason(b[35])
}

func packDate(b []byte, seconds int64) {
	v := uint64(seconds - firstDate)
	if seconds == Unknown {
		v = 0
	}
	binary.BigEndian.PutUint32(b, uint32(v>>8))
	b[4] = byte(v)
}

func unpackDate(b []byte) int64 {
	v := int64(binary.BigEndian.Uint32(b))<<8 | int64(b[4])
	if v == 0 {
		return Unknown
	}
	return v + firstDate
}

// entry gives the record as a list holds it.
func (r *Record) entry() tbs.PackedEntry {
	return tbs.PackedEntry{
		Serial: r.Serial[:], Date: r.Date, Reason: int(r.Reason),
		Invalidity: r.Invalidity, HasInvalidity: r.Invalidity != Unknown,
	}
}

// absorb takes what other knows beside, and reports whether the two say the
// same of one certificate.
func (r *Record) absorb(other *Record) bool {
	return r.Date == other.Date && r.Reason == other.Reason &&
		agree(&r.Expires, other.Expires) && agree(&r.Invalidity, other.Invalidity)
}

func agree(have *int64, other int64) bool {
	if *have == Unknown {
		*have = other
	}
	return other == Unknown || *have == other
}

func (r *Record) String() string {
	return fmt.Sprintf("%s (%s, %s)", r.Serial, stamp(r.Date), r.Reason)
}

func stamp(seconds int64) string { return time.Unix(seconds, 0).UTC().Format(time.RFC3339) }
