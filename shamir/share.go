package shamir

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"

	"crypto/sha256"
)

// SetID is the first half of a set's digest. It is in every share, tells sets
// apart, and verifies what shares of it give together.
type SetID [setIDSize]byte

// String gives the form that people compare: four groups of eight hex digits.
func (id SetID) String() string {
	h := hex.EncodeToString(id[:])
	return h[:8] + "-" + h[8:16] + "-" + h[16:24] + "-" + h[24:]
}

// Share is one holder's part of a secret. Only Split and the readers make
// one, so a share that is there is well formed.
type Share struct {
	Set       SetID
	Threshold int
	Count     int
	Index     int // and the place at which the polynomials were evaluated
	Purpose   string
	Holder    string
	value     []byte
}

// Label names a share in messages.
func (s *Share) Label() string { return fmt.Sprintf("share %d (%s)", s.Index, s.Holder) }

// String says what a share is, without what it holds.
func (s *Share) String() string {
	return fmt.Sprintf("%s, %d of %d, set %s, %s", s.Label(), s.Threshold, s.Count, s.Set, s.Purpose)
}

// GoString keeps the value out of %#v.
func (s *Share) GoString() string { return s.String() }

// Class gives the length to which the secret was padded.
func (s *Share) Class() int { return len(s.value) - payloadOverhead }

// Equal reports whether two shares are the same, value and all.
func (s *Share) Equal(other *Share) bool { return bytes.Equal(s.encode(), other.encode()) }

// Wipe overwrites the value. The share is of no use afterwards.
func (s *Share) Wipe() { clear(s.value) }

// Commitment is the SHA-256 that the set's record keeps of a share.
func (s *Share) Commitment() [32]byte {
	b := s.encode()
	defer clear(b)
	h := sha256.New()
	h.Write([]byte("pki-share/1 commitment\x00"))
	h.Write(b[:len(b)-crc32.Size])
	return [32]byte(h.Sum(nil))
}

// headSize is what stands before the purpose: version, threshold, count,
// index, class, set id and the purpose's length.
const headSize = 5 + setIDSize + 1

// encode gives the bytes that every form of a share carries.
func (s *Share) encode() []byte {
	b := make([]byte, 0, headSize+len(s.Purpose)+1+len(s.Holder)+len(s.value)+crc32.Size)
	b = append(b, version, byte(s.Threshold), byte(s.Count), byte(s.Index), classCode(s.Class()))
	b = append(b, s.Set[:]...)
	b = append(append(b, byte(len(s.Purpose))), s.Purpose...)
	b = append(append(b, byte(len(s.Holder))), s.Holder...)
	b = append(b, s.value...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
}

// size gives the length of a share's bytes from the first of them; it is not
// known until the lengths of purpose and holder have come by.
func size(b []byte) (n int, known bool) {
	if len(b) < headSize {
		return 0, false
	}
	holderAt := headSize + int(b[headSize-1])
	if len(b) <= holderAt {
		return 0, false
	}
	class, _ := classSize(b[4])
	return holderAt + 1 + int(b[holderAt]) + payloadOverhead + class + crc32.Size, true
}

// parse reads what encode wrote and refuses everything else.
func parse(b []byte) (*Share, error) {
	if len(b) == 0 {
		return nil, fmt.Errorf("there is nothing in it")
	}
	if b[0] != version {
		return nil, fmt.Errorf("its format is version %d and this program reads version %d", b[0], version)
	}
	n, known := size(b)
	if !known || n != len(b) {
		return nil, fmt.Errorf("its length is not what its head says")
	}
	if binary.BigEndian.Uint32(b[n-crc32.Size:]) != crc32.ChecksumIEEE(b[:n-crc32.Size]) {
		return nil, fmt.Errorf("its checksum does not hold")
	}
	class, ok := classSize(b[4])
	if !ok {
		return nil, fmt.Errorf("its length class %d is unknown", b[4])
	}
	s := &Share{Threshold: int(b[1]), Count: int(b[2]), Index: int(b[3])}
	copy(s.Set[:], b[5:])
	if s.Count > MaxShares || s.Threshold < MinThreshold || s.Threshold > s.Count || s.Index < 1 || s.Index > s.Count {
		return nil, fmt.Errorf("it says that it is share %d of %d with a threshold of %d, which cannot be", s.Index, s.Count, s.Threshold)
	}
	holderAt := headSize + int(b[headSize-1])
	valueAt := n - crc32.Size - payloadOverhead - class
	s.Purpose, s.Holder = string(b[headSize:holderAt]), string(b[holderAt+1:valueAt])
	if err := validLabel(s.Purpose); err != nil {
		return nil, fmt.Errorf("its purpose: %w", err)
	}
	if err := validLabel(s.Holder); err != nil {
		return nil, fmt.Errorf("its holder: %w", err)
	}
	s.value = bytes.Clone(b[valueAt : n-crc32.Size])
	return s, nil
}
