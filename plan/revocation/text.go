package revocation

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"pki.internal/lint/crlwalk"
	"pki.internal/spec"
)

// isIndex tells openssl's index.txt: a status letter and five tabs.
func isIndex(text []byte) bool {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	return len(line) > 1 && line[1] == '\t' && bytes.IndexByte([]byte("RVE"), line[0]) >= 0 && bytes.Count(line, []byte("\t")) >= 5
}

// indexLine reads a line of index.txt: status, end of validity, date of
// revocation with its reason, serial number, file, subject.
func indexLine(emit func(*Record) error) func([]byte) error {
	var r Record
	return func(line []byte) error {
		var fields [4][]byte
		rest := line
		for i := range fields {
			tab := bytes.IndexByte(rest, '\t')
			if tab < 0 {
				return errors.New("six fields with tabs between them are expected")
			}
			fields[i], rest = rest[:tab], rest[tab+1:]
		}
		switch string(fields[0]) {
		case "V", "E": // valid, expired: not revoked
			return nil
		case "R":
		default:
			return fmt.Errorf("the status is %q; R, V or E is expected", fields[0])
		}
		r = Record{Expires: Unknown, Invalidity: Unknown}
		var err error
		if r.Serial, err = hexSerial(fields[3]); err != nil {
			return err
		}
		if r.Expires, err = opensslDate(fields[1]); err != nil {
			return fmt.Errorf("end of validity: %w", err)
		}
		if err := indexRevocation(&r, fields[2]); err != nil {
			return err
		}
		return emit(&r)
	}
}

// indexRevocation reads DATE, DATE,reason or DATE,reason,detail.
func indexRevocation(r *Record, field []byte) error {
	date, reason := field, []byte(nil)
	if comma := bytes.IndexByte(field, ','); comma >= 0 {
		date, reason = field[:comma], field[comma+1:]
	}
	var err error
	if r.Date, err = opensslDate(date); err != nil {
		return fmt.Errorf("date of revocation: %w", err)
	}
	if len(reason) == 0 {
		return nil
	}
	switch string(reason) { // most lines; the words as openssl writes them
	case "keyCompromise":
		r.Reason = 1
		return nil
	case "superseded":
		r.Reason = 4
		return nil
	case "cessationOfOperation":
		r.Reason = 5
		return nil
	}
	word, detail, _ := strings.Cut(string(reason), ",")
	switch word {
	case "holdInstruction": // its detail is a retired extension (RFC 5280 dropped it)
		r.Reason = spec.CertificateHold
		return nil
	case "keyTime", "CAkeyTime":
		r.Reason = map[string]spec.Reason{"keyTime": 1, "CAkeyTime": 2}[word]
		if r.Invalidity, err = opensslDate([]byte(detail)); err != nil {
			return fmt.Errorf("date of the compromise: %w", err)
		}
		return nil
	}
	r.Reason, err = spec.ParseReason(word)
	return err
}

// hexSerial is ParseSerial for the common case, without a copy.
func hexSerial(text []byte) (Serial, error) {
	var s Serial
	n := len(text) / 2
	if len(text)%2 != 0 || n == 0 || n > serialSize {
		return ParseSerial(string(text))
	}
	if _, err := hex.Decode(s[serialSize-n:], text); err != nil || s == (Serial{}) {
		return s, fmt.Errorf("serial number %q is not a positive number in hexadecimal", text)
	}
	return s, nil
}

// opensslDate reads YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ.
func opensslDate(text []byte) (int64, error) {
	tag := byte(0x17) // UTCTime
	if len(text) == 15 {
		tag = 0x18
	}
	seconds, ok := crlwalk.ParseTime(tag, text)
	if !ok {
		return 0, fmt.Errorf("%q is not a date such as 261201090000Z", text)
	}
	return seconds, nil
}

// parseDate reads RFC 3339, a day, or openssl's form. Parts of a second are
// cut off: a list has none.
func parseDate(text string) (int64, error) {
	if seconds, ok := plainDate(text); ok {
		return seconds, nil
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.Unix(), nil
		}
	}
	if seconds, err := opensslDate([]byte(text)); err == nil {
		return seconds, nil
	}
	return 0, fmt.Errorf("%q is not a date such as 2026-12-01T09:00:00Z", text)
}

// csvColumns are the columns of CSV without a heading.
var csvColumns = []string{"serial", "date", "reason", "expires", "invalidity"}

func readCSV(b *bufio.Reader, emit func(*Record) error) error {
	c := csv.NewReader(&lineLimit{r: b})
	c.ReuseRecord, c.FieldsPerRecord, c.TrimLeadingSpace, c.Comment = true, -1, true, '#'
	names := csvColumns
	var digits digitsOnly
	var reasons reasonMemo
	for first := true; ; first = false {
		fields, err := c.Read()
		if errors.Is(err, io.EOF) {
			return digits.check()
		}
		if err != nil {
			return err
		}
		if first {
			fields[0] = strings.TrimPrefix(fields[0], "\ufeff")
			if heading := csvHeading(fields); heading != nil {
				names = heading
				continue
			}
		}
		line, _ := c.FieldPos(0)
		r, err := csvRecord(names, fields, &digits, &reasons)
		if err == nil {
			err = emit(&r)
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", line, err)
		}
	}
}

// csvHeading gives the names of the columns when the first line has them.
func csvHeading(fields []string) []string {
	var names []string
	for _, f := range fields {
		names = append(names, strings.ToLower(strings.TrimSpace(f)))
	}
	if names[0] == "serial" || slices.Contains(names, "serial_decimal") || slices.Contains(names, "serial") {
		return names
	}
	return nil
}

func csvRecord(names, fields []string, digits *digitsOnly, reasons *reasonMemo) (Record, error) {
	r := Record{Expires: Unknown, Invalidity: Unknown}
	if len(fields) > len(names) {
		return r, fmt.Errorf("it has %d columns, and %d are expected: %s", len(fields), len(names), strings.Join(names, ", "))
	}
	dated, named := false, false
	for i, value := range fields {
		value = strings.TrimSpace(value)
		var err error
		switch name := names[i]; {
		case name == "serial":
			named = true
			digits.see(value)
			r.Serial, err = ParseSerial(value)
		case name == "serial_decimal":
			named = true
			r.Serial, err = decimalSerial(value)
		case value == "":
		case name == "date":
			dated = true
			r.Date, err = parseDate(value)
		case name == "reason":
			r.Reason, err = reasons.parse([]byte(value))
		case name == "expires":
			r.Expires, err = parseDate(value)
		case name == "invalidity":
			r.Invalidity, err = parseDate(value)
		default:
			err = fmt.Errorf("the column %q is none of serial, serial_decimal, date, reason, expires, invalidity", name)
		}
		if err != nil {
			return r, err
		}
	}
	if !named || !dated {
		return r, errors.New("a serial number and a date are expected")
	}
	return r, nil
}

// digitsOnly finds decimal serial numbers that would be read as hexadecimal
// and revoke nothing that exists: of many long hexadecimal numbers some have a
// letter.
type digitsOnly struct {
	long, lettered int
	example        string
}

func (d *digitsOnly) see(value string) {
	if len(value) < 16 {
		return
	}
	d.long++
	if strings.Trim(value, "0123456789") != "" {
		d.lettered++
	} else if d.example == "" {
		d.example = strings.Clone(value)
	}
}

func (d *digitsOnly) check() error {
	if d.long > 0 && d.lettered == 0 {
		return fmt.Errorf("the serial numbers, such as %s, have no letters: if they are decimal, name their column serial_decimal in a heading; if they are hexadecimal, write 0x before them", d.example)
	}
	return nil
}

// lineLimit refuses a line without end, which a CSV reader would collect.
type lineLimit struct {
	r    *bufio.Reader
	line int
}

func (l *lineLimit) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	for _, c := range p[:n] {
		if l.line++; c == '\n' {
			l.line = 0
		}
		if l.line > maxLine {
			return 0, fmt.Errorf("a line has more than %d octets", maxLine)
		}
	}
	return n, err
}

// isHexJSON tells a JSON object in hexadecimal, as the mysql client writes
// the octets of a column.
func isHexJSON(text []byte) bool {
	return bytes.HasPrefix(bytes.ToLower(text[:min(len(text), 4)]), []byte("0x7b"))
}

// jsonLine reads one JSON object to a line: ours, with serial, date, reason,
// expires and invalidity, or step-ca's, as its table revoked_x509_certs holds
// it. SQL clients may write it in hexadecimal.
func jsonLine(emit func(*Record) error) func([]byte) error {
	var plain flat
	var octets []byte
	var r Record
	return func(line []byte) error {
		line = bytes.TrimSpace(line)
		if plain.record(line, &r) {
			return emit(&r)
		}
		if bytes.HasPrefix(line, []byte(`\x`)) || isHexJSON(line) {
			octets = append(octets[:0], line[2:]...) // the line belongs to its reader
			n, err := hex.Decode(octets, octets)
			if err != nil {
				return errors.New("the hexadecimal is damaged")
			}
			if line = octets[:n]; plain.record(line, &r) {
				return emit(&r)
			}
		}
		members, err := jsonMembers(line)
		if err != nil {
			return err
		}
		if _, foreign := members["Serial"]; foreign {
			r, err = stepRecord(members)
		} else {
			r, err = ownRecord(members)
		}
		if err != nil {
			return err
		}
		return emit(&r)
	}
}

// jsonMembers takes an object apart. A doubled name is refused: readers
// disagree on which one counts.
func jsonMembers(line []byte) (map[string]json.RawMessage, error) {
	d := json.NewDecoder(bytes.NewReader(line))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("one JSON object is expected")
	}
	members := map[string]json.RawMessage{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		key, _ := name.(string)
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, err
		}
		if _, twice := members[key]; twice {
			return nil, fmt.Errorf("%q stands twice", key)
		}
		members[key] = value
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	if d.InputOffset() != int64(len(line)) {
		return nil, errors.New("text follows the JSON object")
	}
	return members, nil
}

// ownRecord reads our own form. An unknown member is refused.
func ownRecord(members map[string]json.RawMessage) (Record, error) {
	r := Record{Expires: Unknown, Invalidity: Unknown}
	dated, named := false, false
	for _, name := range slices.Sorted(keys(members)) {
		var value string
		if err := json.Unmarshal(members[name], &value); err != nil {
			return r, fmt.Errorf("%s: a string is expected", name)
		}
		var err error
		switch name {
		case "serial":
			named = true
			r.Serial, err = ParseSerial(value)
		case "date":
			dated = true
			r.Date, err = parseDate(value)
		case "reason":
			r.Reason, err = spec.ParseReason(value)
		case "expires":
			r.Expires, err = parseDate(value)
		case "invalidity":
			r.Invalidity, err = parseDate(value)
		default:
			err = errors.New("it is none of serial, date, reason, expires, invalidity")
		}
		if err != nil {
			return r, fmt.Errorf("%s: %w", name, err)
		}
	}
	if !named || !dated {
		return r, errors.New("a serial number and a date are expected")
	}
	return r, nil
}

func keys(m map[string]json.RawMessage) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// stepRecord reads step-ca's form, whose serial numbers are decimal. What
// else step-ca records (provisioner, token) does not belong into a list.
func stepRecord(members map[string]json.RawMessage) (Record, error) {
	r := Record{Expires: Unknown, Invalidity: Unknown}
	var serial string
	var reason int
	var revoked, expires time.Time
	for name, into := range map[string]any{"Serial": &serial, "ReasonCode": &reason, "RevokedAt": &revoked, "ExpiresAt": &expires} {
		if value, has := members[name]; has {
			if err := json.Unmarshal(value, into); err != nil {
				return r, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	var err error
	if r.Serial, err = decimalSerial(serial); err != nil {
		return r, err
	}
	if revoked.IsZero() {
		return r, fmt.Errorf("serial %s: RevokedAt is missing", r.Serial)
	}
	if r.Reason, err = spec.ParseReason(fmt.Sprint(reason)); err != nil {
		return r, fmt.Errorf("serial %s: ReasonCode: %w", r.Serial, err)
	}
	r.Date = revoked.Unix()
	if !expires.IsZero() { // older versions did not record it
		r.Expires = expires.Unix()
	}
	return r, nil
}
