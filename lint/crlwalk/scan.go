package crlwalk

import (
	"crypto"
	"errors"
	"fmt"
	"hash"
	"io"
)

// scanner reads elements of DER from a stream, and hashes what went by. It has
// two buffers: while one is read, the other is hashed.
type scanner struct {
	r        io.Reader
	buf      []byte
	spare    []byte
	hashing  chan struct{} // of what spare holds; nil when nothing is
	pos, end int
	base     int64 // offset of buf[0] in the stream
	err      error // that the stream ended with
	sink     hash.Hash
	message  []byte // collected instead of hashed
	sinking  bool
	sunk     int // up to here the buffer has gone into the sink
}

func newScanner(r io.Reader) *scanner {
	return &scanner{r: r, buf: make([]byte, bufferSize), spare: make([]byte, bufferSize)}
}

func (s *scanner) offset() int64 { return s.base + int64(s.pos) }

// startSink says that what comes now belongs to the message. The hash is
// chosen when its name has been read.
func (s *scanner) startSink() { s.sinking, s.sunk = true, s.pos }

// startHash chooses the hash; without one the message itself is kept.
func (s *scanner) startHash(h crypto.Hash) {
	if h.Available() {
		s.sink = h.New()
		return
	}
	s.message = []byte{}
}

// flush hands over what was read since the last time.
func (s *scanner) flush() {
	if !s.sinking || (s.sink == nil && s.message == nil) {
		return
	}
	s.wait()
	if s.sink != nil {
		s.sink.Write(s.buf[s.sunk:s.pos])
	} else if len(s.message) <= maxMessage {
		s.message = append(s.message, s.buf[s.sunk:s.pos]...)
	}
	s.sunk = s.pos
}

func (s *scanner) endSink() {
	s.flush()
	s.sinking = false
}

// wait lets the octets that are being hashed be hashed.
func (s *scanner) wait() {
	if s.hashing != nil {
		<-s.hashing
		s.hashing = nil
	}
}

// turn makes room for more: what was not read yet goes to the start of the
// other buffer, and what was is hashed meanwhile.
func (s *scanner) turn() {
	if s.sink == nil || !s.sinking {
		s.flush()
		keep := s.pos
		if s.sinking {
			keep = s.sunk // the hash is not chosen yet
		}
		copy(s.buf, s.buf[keep:s.end])
		s.base += int64(keep)
		s.pos, s.end, s.sunk = s.pos-keep, s.end-keep, s.sunk-keep
		return
	}
	s.wait()
	copy(s.spare, s.buf[s.pos:s.end])
	done, hash, past := make(chan struct{}), s.sink, s.buf[s.sunk:s.pos]
	go func() {
		hash.Write(past)
		close(done)
	}()
	s.hashing = done
	s.buf, s.spare = s.spare, s.buf
	s.base += int64(s.pos)
	s.pos, s.end, s.sunk = 0, s.end-s.pos, 0
}

// need makes sure that n octets are in the buffer.
func (s *scanner) need(n int) error {
	for s.end-s.pos < n {
		if s.err != nil {
			return s.err
		}
		if s.pos > 0 && s.end+n > len(s.buf) || s.pos == s.end {
			s.turn()
		}
		read, err := s.r.Read(s.buf[s.end:])
		s.end += read
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			s.err = ErrTruncated
		case err != nil:
			s.err = err
		}
	}
	return nil
}

// peek gives the tag that comes next before stop.
func (s *scanner) peek(stop int64) (byte, bool) {
	if s.offset() >= stop || s.need(1) != nil {
		return 0, false
	}
	return s.buf[s.pos], true
}

func (s *scanner) tag() (byte, error) {
	if err := s.need(1); err != nil {
		return 0, err
	}
	return s.buf[s.pos], nil
}

// header reads a tag and a length and stands behind them.
func (s *scanner) header(tag byte) (int64, error) {
	size, width, err := s.length(tag)
	s.pos += width
	return size, err
}

// length reads a tag and a length without moving.
func (s *scanner) length(tag byte) (size int64, width int, err error) {
	if err := s.need(2); err != nil {
		return 0, 0, err
	}
	if s.buf[s.pos] != tag {
		return 0, 0, fmt.Errorf("%w: tag %#02x at offset %d, want %#02x", ErrMalformed, s.buf[s.pos], s.offset(), tag)
	}
	width = 2
	if more := s.buf[s.pos+1]; more > 0x80 && more <= 0x84 {
		width += int(more & 0x7f)
		if err := s.need(width); err != nil {
			return 0, 0, err
		}
	}
	size, _, ok := readLength(s.buf[s.pos+1 : s.pos+width])
	if !ok {
		return 0, 0, fmt.Errorf("%w: the length at offset %d is not in DER", ErrMalformed, s.offset()+1)
	}
	return size, width, nil
}

// element reads a whole element with its header. It is good until the next
// one is read.
func (s *scanner) element(tag byte) ([]byte, error) {
	if s.end-s.pos >= 2+0x7f && s.buf[s.pos] == tag && s.buf[s.pos+1] < 0x80 { // nearly every entry
		raw := s.buf[s.pos : s.pos+2+int(s.buf[s.pos+1])]
		s.pos += len(raw)
		return raw, nil
	}
	size, width, err := s.length(tag)
	if err != nil {
		return nil, err
	}
	if size > maxElement {
		return nil, fmt.Errorf("%w: the element at offset %d has %d octets, more than any real one", ErrMalformed, s.offset(), size)
	}
	n := width + int(size)
	if err := s.need(n); err != nil {
		return nil, err
	}
	raw := s.buf[s.pos : s.pos+n]
	s.pos += n
	return raw, nil
}

// skip goes past n octets.
func (s *scanner) skip(n int64) error {
	for n > 0 {
		if err := s.need(1); err != nil {
			return err
		}
		step := min(n, int64(s.end-s.pos))
		s.pos += int(step)
		n -= step
	}
	return nil
}

// nothingFollows makes sure that the stream ends here.
func (s *scanner) nothingFollows() error {
	err := s.need(1)
	switch {
	case err == nil:
		return fmt.Errorf("%w: bytes follow the CRL at offset %d", ErrMalformed, s.offset())
	case errors.Is(err, ErrTruncated):
		return nil
	}
	return err
}

// readLength reads the octets of a length in DER, of at most four octets.
func readLength(b []byte) (size int64, width int, ok bool) {
	if len(b) == 0 {
		return 0, 0, false
	}
	if b[0] < 0x80 {
		return int64(b[0]), 1, true
	}
	n := int(b[0] & 0x7f)
	if n < 1 || n > 4 || len(b) < 1+n || b[1] == 0 {
		return 0, 0, false
	}
	for _, octet := range b[1 : 1+n] {
		size = size<<8 | int64(octet)
	}
	return size, 1 + n, n > 1 || size >= 0x80
}

// readTLV takes the first element off b.
func readTLV(b []byte) (tag byte, content, rest []byte, ok bool) {
	if len(b) < 2 {
		return 0, nil, nil, false
	}
	size, width, ok := readLength(b[1:])
	if !ok || size > int64(len(b)-1-width) {
		return 0, nil, nil, false
	}
	stop := 1 + width + int(size)
	return b[0], b[1+width : stop], b[stop:], true
}
