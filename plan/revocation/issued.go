package revocation

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// ReadIssued reads the serial numbers of the certificates that an issuer
// signed: openssl's index.txt whole, CSV whose column serial counts (the first
// without a heading), or JSON lines with a member serial. Numbers are
// hexadecimal.
func ReadIssued(r io.Reader, emit func(Serial) error) error {
	b := bufio.NewReaderSize(r, 256<<10)
	start, err := b.Peek(4 << 10)
	if err != nil && !errors.Is(err, io.EOF) && len(start) == 0 {
		return err
	}
	switch {
	case isIndex(start):
		return eachLine(b, func(line []byte) error {
			fields := bytes.Split(line, []byte{'\t'})
			if len(fields) != 6 {
				return fmt.Errorf("a line of index.txt has 6 fields, and this one %d", len(fields))
			}
			s, err := hexSerial(fields[3])
			if err != nil {
				return err
			}
			return emit(s)
		})
	case len(start) > 0 && start[0] == '{':
		return eachLine(b, func(line []byte) error {
			var known struct {
				Serial string `json:"serial"`
			}
			if err := json.Unmarshal(line, &known); err != nil {
				return err
			}
			s, err := ParseSerial(known.Serial)
			if err != nil {
				return err
			}
			return emit(s)
		})
	}
	return issuedCSV(b, emit)
}

func issuedCSV(b *bufio.Reader, emit func(Serial) error) error {
	c := csv.NewReader(b)
	c.FieldsPerRecord, c.ReuseRecord = -1, true
	column := 0
	for line := 1; ; line++ {
		fields, err := c.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if line == 1 {
			heading := -1
			for i, f := range fields {
				if strings.EqualFold(strings.TrimSpace(f), "serial") {
					heading = i
				}
			}
			if heading >= 0 {
				column = heading
				continue
			}
		}
		if column >= len(fields) {
			return fmt.Errorf("line %d: there is no column %d", line, column+1)
		}
		s, err := ParseSerial(strings.TrimSpace(fields[column]))
		if err != nil {
			return fmt.Errorf("line %d: %w", line, err)
		}
		if err := emit(s); err != nil {
			return err
		}
	}
}

// Known answers whether serial numbers are among those that were issued, when
// it is asked by ascending numbers.
type Known struct {
	issued *Merge
	at     Record
	more   bool
	begun  bool
}

// NewKnown takes sorted serial numbers; each of them may stand more than once.
func NewKnown(issued *Merge) *Known { return &Known{issued: issued} }

// Has reports whether a serial number was issued.
func (k *Known) Has(s Serial) (bool, error) {
	for !k.begun || k.more && k.at.Serial.Compare(s) < 0 {
		var err error
		k.begun = true
		if k.more, err = k.issued.Next(&k.at); err != nil {
			return false, err
		}
	}
	return k.more && k.at.Serial == s, nil
}
