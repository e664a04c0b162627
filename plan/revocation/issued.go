package revocation

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// NoShard is the shard of a certificate of which nobody says any.
const NoShard = -1

// ReadIssued reads the serial numbers of the certificates that an issuer
// signed: openssl's index.txt whole, CSV whose column serial counts (the first
// without a heading), or JSON lines with a member serial. Numbers are
// hexadecimal. A column or member shard says on which of several lists a
// certificate is looked up; shards count from 0.
func ReadIssued(r io.Reader, emit func(s Serial, shard int) error) error {
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
			return emit(s, NoShard)
		})
	case len(start) > 0 && start[0] == '{':
		return eachLine(b, func(line []byte) error {
			var known struct {
				Serial string `json:"serial"`
				Shard  *int   `json:"shard"`
			}
			if err := json.Unmarshal(line, &known); err != nil {
				return err
			}
			s, err := ParseSerial(known.Serial)
			if err != nil {
				return err
			}
			if known.Shard == nil {
				return emit(s, NoShard)
			}
			if *known.Shard < 0 || *known.Shard > maxShard {
				return fmt.Errorf("shard %d: %w", *known.Shard, errShard)
			}
			return emit(s, *known.Shard)
		})
	}
	return issuedCSV(b, emit)
}

func issuedCSV(b *bufio.Reader, emit func(Serial, int) error) error {
	c := csv.NewReader(b)
	c.FieldsPerRecord, c.ReuseRecord = -1, true
	serials, shards := 0, NoShard
	for line := 1; ; line++ {
		fields, err := c.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if line == 1 {
			if at := column(fields, "serial"); at >= 0 {
				serials, shards = at, column(fields, "shard")
				continue
			}
		}
		if max(serials, shards) >= len(fields) {
			return fmt.Errorf("line %d: there is no column %d", line, max(serials, shards)+1)
		}
		s, err := ParseSerial(strings.TrimSpace(fields[serials]))
		shard := NoShard
		if err == nil && shards >= 0 {
			shard, err = strconv.Atoi(strings.TrimSpace(fields[shards]))
		}
		if err == nil && (shard < NoShard || shard > maxShard) {
			err = errShard
		}
		if err != nil {
			return fmt.Errorf("line %d: serial number and shard are expected: %w", line, err)
		}
		if err := emit(s, shard); err != nil {
			return err
		}
	}
}

// maxShard is far above any number of lists that anybody would sign.
const maxShard = 1 << 20

var errShard = errors.New("shards are numbers from 0 to 1048576")

// column finds a column by its heading.
func column(fields []string, name string) int {
	return slices.IndexFunc(fields, func(f string) bool { return strings.EqualFold(strings.TrimSpace(f), name) })
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
	_, has, err := k.Shard(s)
	return has, err
}

// Shard gives the shard of a serial number that was issued, NoShard where
// nobody says.
func (k *Known) Shard(s Serial) (shard int, issued bool, err error) {
	for !k.begun || k.more && k.at.Serial.Compare(s) < 0 {
		var err error
		k.begun = true
		if k.more, err = k.issued.Next(&k.at); err != nil {
			var two *Conflict
			if errors.As(err, &two) {
				err = fmt.Errorf("the list of issued certificates puts serial number %s into two shards, %d and %d; decide, and leave one out", two.A.Serial, two.A.Date, two.B.Date)
			}
			return NoShard, false, err
		}
	}
	if !k.more || k.at.Serial != s {
		return NoShard, false, nil
	}
	return int(k.at.Date), true, nil
}

// IssuedRecord carries a serial number and its shard through a Sorter. Two
// shards of one certificate are a conflict there.
func IssuedRecord(s Serial, shard int) Record {
	return Record{Serial: s, Date: int64(shard), Expires: Unknown, Invalidity: Unknown}
}

// ShardOf gives the shard of a certificate by its serial number: the first
// eight octets of the SHA-256 of the number's octets, modulo the number of
// shards. It is fixed when the certificate is signed and never changes.
func ShardOf(s Serial, shards int) int {
	sum := sha256.Sum256(s.Octets())
	return int(binary.BigEndian.Uint64(sum[:8]) % uint64(shards))
}
