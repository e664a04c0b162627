package revocation

import "errors"

// ErrUnordered means that records that were taken for ordered are not: they
// have to be sorted.
var ErrUnordered = errors.New("the records are not in the order of their serial numbers")

// Stream hands records on while they are read, without a scratch file, as long
// as they come by ascending serial number. They are read by another goroutine.
type Stream struct {
	full   chan []Record
	free   chan []Record
	stop   chan struct{}
	failed error // set before full is closed
	batch  []Record
	at     int
	merged int
}

// Batches are large enough that handing them over costs nothing, and few
// enough that memory does not notice.
const (
	batchRecords = 2 << 10
	batches      = 4
)

// errStopped ends a reader whose records nobody wants any more.
var errStopped = errors.New("nobody reads on")

// NewStream begins to read. Close must be called in the end.
func NewStream(read func(emit func(*Record) error) error) *Stream {
	s := &Stream{full: make(chan []Record, batches), free: make(chan []Record, batches), stop: make(chan struct{})}
	go func() {
		defer close(s.full)
		s.failed = s.fill(read)
	}()
	return s
}

// fill collects what is read into batches.
func (s *Stream) fill(read func(emit func(*Record) error) error) error {
	var batch []Record
	hand := func() error {
		select {
		case s.full <- batch:
			batch = nil
			return nil
		case <-s.stop:
			return errStopped
		}
	}
	err := read(func(r *Record) error {
		if batch == nil {
			select {
			case batch = <-s.free:
			default:
				batch = make([]Record, 0, batchRecords)
			}
		}
		if batch = append(batch, *r); len(batch) == batchRecords {
			return hand()
		}
		return nil
	})
	if len(batch) > 0 && !errors.Is(err, errStopped) {
		err = errors.Join(hand(), err)
	}
	return err
}

// Begins reports whether the first records are in order. Those of input in no
// order at all hardly ever are.
func (s *Stream) Begins() bool {
	if s.peek() == nil {
		return true
	}
	for i := 1; i < len(s.batch); i++ {
		if s.batch[i].Serial.Compare(s.batch[i-1].Serial) < 0 {
			return false
		}
	}
	return true
}

// peek gives the next record, nil at the end.
func (s *Stream) peek() *Record {
	if s.at == len(s.batch) {
		if s.batch != nil {
			select {
			case s.free <- s.batch[:0]:
			default:
			}
		}
		s.batch, s.at = <-s.full, 0
		if s.batch == nil {
			return nil
		}
	}
	return &s.batch[s.at]
}

// Next gives the record with the next serial number, or false at the end.
func (s *Stream) Next(r *Record) (bool, error) {
	next := s.peek()
	if next == nil {
		return false, s.failed
	}
	*r = *next
	for {
		s.at++
		if next = s.peek(); next == nil {
			return true, nil
		}
		switch order := next.Serial.Compare(r.Serial); {
		case order > 0:
			return true, nil
		case order < 0:
			return false, ErrUnordered
		}
		first := *r
		if !r.absorb(next) {
			return false, &Conflict{first, *next}
		}
		s.merged++
	}
}

// Repeated is how many records said again what another had said.
func (s *Stream) Repeated() int { return s.merged }

// Close ends the reading, finished or not.
func (s *Stream) Close() {
	close(s.stop)
	for range s.full { // until the reader has seen it
	}
}
