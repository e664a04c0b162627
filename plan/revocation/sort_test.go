package revocation

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// memory is a scratch file for tests.
type memory struct{ bytes.Buffer }

func (m *memory) ReadAt(p []byte, off int64) (int, error) {
	return bytes.NewReader(m.Bytes()).ReadAt(p, off)
}

func record(n uint64, date int64) *Record {
	r := &Record{Date: date, Expires: Unknown, Invalidity: Unknown}
	for i := range 8 {
		r.Serial[serialSize-1-i] = byte(n >> (8 * i))
	}
	return r
}

// sorted sorts numbers through a Sorter.
func sorted(t *testing.T, numbers []uint64) ([]Serial, *Sorter) {
	t.Helper()
	s := NewSorter(&memory{})
	for _, n := range numbers {
		if err := s.Add(record(n, 5)); err != nil {
			t.Fatal(err)
		}
	}
	var got []Serial
	if err := s.Each(func(r *Record) error { got = append(got, r.Serial); return nil }); err != nil {
		t.Fatal(err)
	}
	return got, s
}

func TestSorter(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{0, 1, 2, 1000, chunkRecords, chunkRecords + 1, 5*chunkRecords + 7} {
		for _, kind := range []string{"random", "ascending", "descending", "small"} {
			numbers := make([]uint64, n)
			for i := range numbers {
				numbers[i] = random.Uint64()
				if kind == "small" { // octets that decide are the last ones, and many are equal
					numbers[i] %= 1000
				}
			}
			switch kind {
			case "ascending":
				slices.Sort(numbers)
			case "descending":
				slices.Sort(numbers)
				slices.Reverse(numbers)
			}
			t.Run(fmt.Sprint(n, kind), func(t *testing.T) {
				got, s := sorted(t, numbers)
				want := slices.Clone(numbers)
				slices.Sort(want)
				want = slices.Compact(want)
				if len(got) != len(want) {
					t.Fatalf("%d records, want %d", len(got), len(want))
				}
				for i := range want {
					if got[i] != record(want[i], 0).Serial {
						t.Fatalf("record %d is %s, want %x", i, got[i], want[i])
					}
				}
				if kind == "ascending" && len(s.runs) > 1 {
					t.Errorf("sorted input became %d runs", len(s.runs))
				}
			})
		}
	}
}

// TestSorterTwice asks for the records again.
func TestSorterTwice(t *testing.T) {
	_, s := sorted(t, []uint64{3, 1, 2})
	count := 0
	if err := s.Each(func(*Record) error { count++; return nil }); err != nil || count != 3 {
		t.Errorf("%d records the second time, %v", count, err)
	}
}

func TestDuplicates(t *testing.T) {
	for name, c := range map[string]struct {
		change   func(*Record)
		conflict bool
	}{
		"the same":         {func(*Record) {}, false},
		"expiry known now": {func(r *Record) { r.Expires = 9 }, false},
		"another date":     {func(r *Record) { r.Date = 6 }, true},
		"another reason":   {func(r *Record) { r.Reason = 4 }, true},
	} {
		// The second one comes in another chunk, so that a merge meets them.
		s := NewSorter(&memory{})
		second := record(1<<63, 5)
		c.change(second)
		all := []*Record{record(1<<63, 5)}
		for i := range chunkRecords {
			all = append(all, record(uint64(i), 5))
		}
		all = append(all, second)
		for _, r := range all {
			if err := s.Add(r); err != nil {
				t.Fatal(err)
			}
		}
		m, err := s.Sorted()
		if err != nil {
			t.Fatal(err)
		}
		var r Record
		count := 0
		more := true
		for more && err == nil {
			if more, err = m.Next(&r); more {
				count++
			}
		}
		var conflict *Conflict
		if errors.As(err, &conflict) != c.conflict {
			t.Errorf("%s: %v", name, err)
		}
		if !c.conflict && (count != chunkRecords+1 || m.Repeated() != 1 || r.Expires != second.Expires) {
			t.Errorf("%s: %d records, %d merged, expires %d", name, count, m.Repeated(), r.Expires)
		}
	}
}

// full is a scratch file on a full disk.
type full struct{ memory }

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestSorterOnFullDisk(t *testing.T) {
	s := NewSorter(&full{})
	var err error
	for i := 0; i < 3*chunkRecords && err == nil; i++ {
		err = s.Add(record(uint64(i), 1))
	}
	if err == nil {
		t.Fatal("nothing was said of a full disk")
	}
}
