package revocation

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
)

// Scratch is a file that nobody else sees. Records wait in it while they are
// sorted, so that memory does not grow with their number.
type Scratch interface {
	io.Writer
	io.ReaderAt
}

// Sorter puts records in the order of their serial numbers. Input that is in
// order already costs one writing and one reading of the scratch file.
type Sorter struct {
	scratch Scratch
	chunk   [][recordSize]byte
	spare   [][recordSize]byte
	busy    chan error // of the chunk being sorted and written; nil when none is
	runs    []run
	last    Serial // greatest of the newest run
	size    int64  // of the scratch file
	count   int
	out     *bufio.Writer
	order   []ordered
	moved   []ordered // room to sort in
}

// run is a part of the scratch file that is in order.
type run struct{ from, size int64 }

const (
	// chunkRecords are sorted at a time: two chunks are 3 MiB.
	chunkRecords = 32 << 10
	// maxRuns bounds the merge: each run needs a buffer, and 2048 runs are 67
	// million records in no order at all.
	maxRuns   = 2048
	runBuffer = 16 << 10
)

// NewSorter sorts in a scratch file, which must be empty.
func NewSorter(scratch Scratch) *Sorter {
	return &Sorter{scratch: scratch}
}

// Count is how many records were added.
func (s *Sorter) Count() int { return s.count }

// Add takes a record.
func (s *Sorter) Add(r *Record) error {
	if len(s.chunk) == chunkRecords {
		if err := s.spill(); err != nil {
			return err
		}
	}
	s.count++
	if len(s.chunk) == cap(s.chunk) && len(s.chunk) >= chunkRecords/16 {
		s.chunk = slices.Grow(s.chunk, chunkRecords-len(s.chunk)) // it is no short list
	}
	s.chunk = append(s.chunk, [recordSize]byte{})
	r.pack(&s.chunk[len(s.chunk)-1])
	return nil
}

// spill sorts and writes the chunk while the next one fills.
func (s *Sorter) spill() error {
	if err := s.wait(); err != nil {
		return err
	}
	full := s.chunk
	s.chunk, s.spare = s.spare[:0], full
	s.busy = make(chan error, 1)
	go func(done chan<- error) { done <- s.write(full) }(s.busy)
	return nil
}

// wait lets the chunk that is being written be written.
func (s *Sorter) wait() error {
	if s.busy == nil {
		return nil
	}
	err := <-s.busy
	s.busy = nil
	return err
}

func bySerial(a, b *[recordSize]byte) int { return bytes.Compare(a[:serialSize], b[:serialSize]) }

// write adds a chunk to the newest run when it continues it, and makes it a
// run of its own otherwise.
func (s *Sorter) write(chunk [][recordSize]byte) error {
	if len(chunk) == 0 {
		return nil
	}
	s.arrange(chunk)
	first, last := Serial(chunk[s.order[0].place][:serialSize]), Serial(chunk[s.order[len(chunk)-1].place][:serialSize])
	if len(s.runs) == 0 || first.Compare(s.last) < 0 {
		if len(s.runs) == maxRuns {
			return fmt.Errorf("more than %d records in no order: sort them by serial number first", maxRuns*chunkRecords)
		}
		s.runs = append(s.runs, run{from: s.size})
	}
	s.last = last
	if s.out == nil {
		s.out = bufio.NewWriterSize(s.scratch, 128<<10)
	}
	for _, o := range s.order {
		if _, err := s.out.Write(chunk[o.place][:]); err != nil {
			return fmt.Errorf("writing the scratch file: %w", err)
		}
	}
	if err := s.out.Flush(); err != nil {
		return fmt.Errorf("writing the scratch file: %w", err)
	}
	size := int64(len(chunk)) * recordSize
	s.runs[len(s.runs)-1].size += size
	s.size += size
	return nil
}

// ordered is the place of a record in its chunk, with the octets of its serial
// number that decide first.
type ordered struct {
	key   uint64
	place uint32
}

// arrange works out the order of a chunk. Records stay where they are: moving
// a few octets of each is several times faster.
func (s *Sorter) arrange(chunk [][recordSize]byte) {
	var any [serialSize]byte
	for i := range chunk {
		for j := range any {
			any[j] |= chunk[i][j]
		}
	}
	from := 0
	for from < serialSize-8 && any[from] == 0 {
		from++
	}
	s.order = s.order[:0]
	inOrder := true
	for i := range chunk {
		o := ordered{binary.BigEndian.Uint64(chunk[i][from:]), uint32(i)}
		inOrder = inOrder && (i == 0 || bySerial(&chunk[i-1], &chunk[i]) <= 0)
		s.order = append(s.order, o)
	}
	if inOrder {
		return
	}
	s.moved = slices.Grow(s.moved[:0], len(s.order))[:len(s.order)]
	sorted := radixSort(s.order, s.moved)
	if &sorted[0] != &s.order[0] {
		s.order, s.moved = sorted, s.order
	}
	s.settle(chunk)
}

// settle orders what the keys do not: numbers that agree in the octets that
// went into them.
func (s *Sorter) settle(chunk [][recordSize]byte) {
	for from := 0; from < len(s.order); {
		to := from + 1
		for to < len(s.order) && s.order[to].key == s.order[from].key {
			to++
		}
		if to-from > 1 {
			slices.SortFunc(s.order[from:to], func(a, b ordered) int { return bySerial(&chunk[a.place], &chunk[b.place]) })
		}
		from = to
	}
}

// Sorted ends the adding and gives the records in order. It may be asked
// again, and begins anew each time.
func (s *Sorter) Sorted() (*Merge, error) {
	if len(s.chunk) > 0 {
		if err := s.spill(); err != nil {
			return nil, err
		}
	}
	if err := s.wait(); err != nil {
		return nil, err
	}
	s.chunk, s.spare, s.out, s.order, s.moved = nil, nil, nil, nil, nil
	m := &Merge{}
	for _, r := range s.runs {
		buffer := runBuffer
		if len(s.runs) == 1 {
			buffer = 256 << 10
		}
		c := &cursor{r: io.NewSectionReader(s.scratch, r.from, r.size), buf: make([]byte, buffer/recordSize*recordSize)}
		more, err := c.next()
		if err != nil {
			return nil, err
		}
		if more {
			m.heads = append(m.heads, head{c.key(), c})
			m.up(len(m.heads) - 1)
		}
	}
	return m, nil
}

// cursor is a place in a run.
type cursor struct {
	r       io.Reader
	buf     []byte // whole records
	at, end int
	raw     *[recordSize]byte // the record here, good until the next
}

func (c *cursor) next() (bool, error) {
	if c.at == c.end {
		n, err := io.ReadFull(c.r, c.buf)
		if err == io.EOF {
			return false, nil
		}
		if err != nil && (err != io.ErrUnexpectedEOF || n%recordSize != 0) {
			return false, fmt.Errorf("reading the scratch file: %w", err)
		}
		c.at, c.end = 0, n
	}
	c.raw = (*[recordSize]byte)(c.buf[c.at:])
	c.at += recordSize
	return true, nil
}

// key gives the first octets of the serial number, which nearly always decide.
func (c *cursor) key() uint64 { return binary.BigEndian.Uint64(c.raw[:]) }

// Merge gives records by serial number, each serial once.
type Merge struct {
	heads  []head // a heap
	merged int
}

// head is the first record of a run that was not taken yet.
type head struct {
	key uint64
	*cursor
}

// Source gives records by ascending serial number, each number once.
type Source interface {
	// Next gives the next record, or false at the end.
	Next(*Record) (bool, error)
	// Repeated is how many records said again what another had said.
	Repeated() int
}

// Repeated is how many records said again what another had said.
func (m *Merge) Repeated() int { return m.merged }

// Conflict is the error for two records that say different things of one
// certificate.
type Conflict struct{ A, B Record }

func (e *Conflict) Error() string {
	return fmt.Sprintf("the input says two things of one certificate: %s and %s; decide, and leave one out", &e.A, &e.B)
}

// Next gives the record with the next serial number, or false at the end.
func (m *Merge) Next(r *Record) (bool, error) {
	if more, err := m.take(r); !more || err != nil {
		return false, err
	}
	for len(m.heads) > 0 && bytes.Equal(m.heads[0].raw[:serialSize], r.Serial[:]) {
		var again Record
		if _, err := m.take(&again); err != nil {
			return false, err
		}
		first := *r
		if !r.absorb(&again) {
			return false, &Conflict{first, again}
		}
		m.merged++
	}
	return true, nil
}

func (m *Merge) take(r *Record) (bool, error) {
	if len(m.heads) == 0 {
		return false, nil
	}
	c := m.heads[0].cursor
	r.unpack(c.raw)
	more, err := c.next()
	if err != nil {
		return false, err
	}
	if more {
		m.heads[0].key = c.key()
	} else {
		m.heads[0] = m.heads[len(m.heads)-1]
		m.heads = m.heads[:len(m.heads)-1]
	}
	if len(m.heads) > 1 {
		m.down()
	}
	return true, nil
}

func before(a, b *head) bool {
	if a.key != b.key {
		return a.key < b.key
	}
	return bySerial(a.raw, b.raw) < 0
}

func (m *Merge) up(i int) {
	for i > 0 && before(&m.heads[i], &m.heads[(i-1)/2]) {
		m.heads[i], m.heads[(i-1)/2] = m.heads[(i-1)/2], m.heads[i]
		i = (i - 1) / 2
	}
}

func (m *Merge) down() {
	moved := m.heads[0]
	i := 0
	for {
		least := 2*i + 1
		if least >= len(m.heads) {
			break
		}
		if least+1 < len(m.heads) && before(&m.heads[least+1], &m.heads[least]) {
			least++
		}
		if !before(&m.heads[least], &moved) {
			break
		}
		m.heads[i] = m.heads[least]
		i = least
	}
	m.heads[i] = moved
}

// Each hands out the records in order.
func (s *Sorter) Each(visit func(*Record) error) error {
	m, err := s.Sorted()
	if err != nil {
		return err
	}
	for {
		var r Record
		more, err := m.Next(&r)
		if !more || err != nil {
			return err
		}
		if err := visit(&r); err != nil {
			return err
		}
	}
}
