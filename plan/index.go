package plan

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"
)

// IssuedSerial is one certificate that an adopted authority has issued, as the
// list of other software tells.
type IssuedSerial struct {
	Serial   string     `json:"serial"` // lower-case hex
	NotAfter time.Time  `json:"not_after"`
	Revoked  *time.Time `json:"revoked,omitempty"`
	Reason   int        `json:"reason,omitempty"`
}

// readIndex reads openssl's index.txt: six fields, separated by tabs: status
// (V, R or E), end, revocation with its reason, serial number, file, subject
// (openssl ca, "man 1 openssl-ca").
func readIndex(text []byte) ([]IssuedSerial, error) {
	var all []IssuedSerial
	number := 0
	for line := range bytes.Lines(text) {
		number++
		row := strings.TrimRight(string(line), "\r\n")
		if row == "" || row[0] == '#' { // as openssl reads it
			continue
		}
		one, err := readIndexLine(row)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		all = append(all, one)
	}
	return all, nil
}

func readIndexLine(row string) (IssuedSerial, error) {
	cells := strings.Split(row, "\t")
	if len(cells) != 6 || !strings.Contains("VRE", cells[0]) || len(cells[0]) != 1 {
		return IssuedSerial{}, errors.New("it does not have six fields that begin with V, R or E")
	}
	end, err := indexTime(cells[1])
	if err != nil {
		return IssuedSerial{}, err
	}
	serial := strings.ToLower(cells[3])
	if serial == "" || len(serial) > 64 || strings.Trim(serial, "0123456789abcdef") != "" {
		return IssuedSerial{}, fmt.Errorf("%q is not a serial number in hex", cells[3])
	}
	one := IssuedSerial{Serial: cmp.Or(evenHex(serial), "00"), NotAfter: end}
	if cells[0] != "R" {
		return one, nil
	}
	if strings.Trim(serial, "0") == "" { // an old root may have it, and nobody revokes a root
		return IssuedSerial{}, errors.New("serial number 0 is revoked, and no list of ours can name it (RFC 5280 §4.1.2.2)")
	}
	when, reason, _ := strings.Cut(cells[2], ",")
	revoked, err := indexTime(when)
	if err != nil {
		return IssuedSerial{}, err
	}
	one.Revoked = &revoked
	one.Reason, err = indexReason(reason)
	return one, err
}

// indexTime reads YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ.
func indexTime(s string) (time.Time, error) {
	form := "060102150405Z"
	if len(s) == len("20060102150405Z") {
		form = "20060102150405Z"
	}
	t, err := time.Parse(form, s)
	if err != nil {
		return t, fmt.Errorf("%q is not a date such as 261231235959Z", s)
	}
	// Go takes years of two digits from 1969 on; RFC 5280 §4.1.2.5.1 from 1950.
	if len(s) == len("060102150405Z") && t.Year() >= 2050 {
		t = t.AddDate(-100, 0, 0)
	}
	return t.UTC(), nil
}

// indexReason reads openssl's word for a reason; what follows a comma, such as
// the date of a compromise, is left out.
func indexReason(s string) (int, error) {
	word, _, _ := strings.Cut(s, ",")
	reasons := []string{"unspecified", "keyCompromise", "CACompromise", "affiliationChanged", "superseded", "cessationOfOperation", "certificateHold", "", "removeFromCRL", "privilegeWithdrawn", "AACompromise"}
	switch word {
	case "":
		return 0, nil
	case "holdInstruction":
		return 6, nil
	case "keyTime":
		return 1, nil
	case "CAkeyTime":
		return 2, nil
	}
	for code, known := range reasons {
		if word == known {
			return code, nil
		}
	}
	return 0, fmt.Errorf("%q is not a reason that openssl writes", word)
}
