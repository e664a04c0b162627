package revocation

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"pki.internal/spec"
)

// reading gives the numbers as a reader would, and then its error.
func reading(numbers []uint64, end error) func(func(*Record) error) error {
	return func(emit func(*Record) error) error {
		for _, n := range numbers {
			if err := emit(record(n, 5)); err != nil {
				return err
			}
		}
		return end
	}
}

// TestStream holds what comes out of a stream against what went in, over
// lengths around those of its batches.
func TestStream(t *testing.T) {
	for _, n := range []int{0, 1, 2, batchRecords - 1, batchRecords, batchRecords + 1, 9*batchRecords + 3} {
		numbers := make([]uint64, n)
		for i := range numbers {
			numbers[i] = uint64(i/2 + 1) // everything twice, across batches too
		}
		s := NewStream(reading(numbers, nil))
		if !s.Begins() {
			t.Errorf("%d: it does not begin in order", n)
		}
		want := slices.Compact(slices.Clone(numbers))
		got := 0
		var r Record
		for {
			more, err := s.Next(&r)
			if err != nil {
				t.Fatal(err)
			}
			if !more {
				break
			}
			if r.Serial != record(want[got], 0).Serial {
				t.Fatalf("%d: record %d is %s", n, got, r.Serial)
			}
			got++
		}
		s.Close()
		if got != len(want) || s.Repeated() != n-len(want) {
			t.Errorf("%d: %d records and %d repeated, want %d and %d", n, got, s.Repeated(), len(want), n-len(want))
		}
	}
}

// TestStreamStops ends streams in every way that there is. None of them may
// leave its reader waiting.
func TestStreamStops(t *testing.T) {
	ascending := make([]uint64, 20*batchRecords)
	for i := range ascending {
		ascending[i] = uint64(i + 1)
	}
	damaged := errors.New("line 7 is damaged")
	late := append(slices.Clone(ascending), 3)
	for name, c := range map[string]struct {
		numbers []uint64
		end     error
		want    error
		begins  bool
	}{
		"an error of the reader":        {ascending, damaged, damaged, true},
		"an error at once":              {nil, damaged, damaged, true},
		"no order":                      {[]uint64{5, 4}, nil, ErrUnordered, false},
		"no order in the end":           {late, nil, ErrUnordered, true},
		"no order, and an error behind": {[]uint64{5, 4}, damaged, ErrUnordered, false},
	} {
		s := NewStream(reading(c.numbers, c.end))
		if s.Begins() != c.begins {
			t.Errorf("%s: begins is %t", name, !c.begins)
		}
		var r Record
		var err error
		for more := true; more && err == nil; {
			more, err = s.Next(&r)
		}
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		s.Close()
	}
	s := NewStream(reading(ascending, nil))
	s.Close() // without a look at it
	two := NewStream(func(emit func(*Record) error) error {
		return errors.Join(emit(record(1, 5)), emit(record(1, 6)))
	})
	defer two.Close()
	var r Record
	var conflict *Conflict
	if _, err := two.Next(&r); !errors.As(err, &conflict) || conflict.A.Date != 5 || conflict.B.Date != 6 {
		t.Errorf("two statements gave %v", err)
	}
}

// TestPacked holds records against themselves after a stay in a scratch file.
func TestPacked(t *testing.T) {
	random := rand.New(rand.NewPCG(6, 2))
	dates := []int64{Unknown, -62167219200 - 86400, -1, 0, 1, 2524608000, 253402300799 + 86400}
	for range 10_000 {
		in := Record{
			Date: dates[random.IntN(len(dates))], Expires: dates[random.IntN(len(dates))],
			Invalidity: dates[random.IntN(len(dates))], Reason: spec.Reason(random.IntN(11)),
		}
		for i := range in.Serial {
			in.Serial[i] = byte(random.Uint32())
		}
		var b [recordSize]byte
		in.pack(&b)
		var out Record
		if out.unpack(&b); out != in {
			t.Fatalf("%+v came back as %+v", in, out)
		}
	}
}

// TestStreamCompiles compiles the same list from a stream and from a sorter.
func TestStreamCompiles(t *testing.T) {
	numbers := make([]uint64, 3*batchRecords)
	for i := range numbers {
		numbers[i] = uint64(3*i + 1)
	}
	stream := NewStream(reading(numbers, nil))
	defer stream.Close()
	rules := Rules{ThisUpdate: 100}
	var direct, sorted bytes.Buffer
	one, err := Compile(stream, nil, rules, &direct)
	if err != nil {
		t.Fatal(err)
	}
	sorter := NewSorter(&memory{})
	slices.Reverse(numbers)
	for _, n := range numbers {
		if err := sorter.Add(record(n, 5)); err != nil {
			t.Fatal(err)
		}
	}
	merge, err := sorter.Sorted()
	if err != nil {
		t.Fatal(err)
	}
	two, err := Compile(merge, nil, rules, &sorted)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(direct.Bytes(), sorted.Bytes()) || one.Entries != two.Entries || one.Entries != len(numbers) {
		t.Errorf("a stream gave %d entries and %d octets, a sorter %d and %d", one.Entries, direct.Len(), two.Entries, sorted.Len())
	}
}
