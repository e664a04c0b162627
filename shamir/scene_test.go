package shamir

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"testing"
)

// stream is randomness that comes out the same every time: the SHA-256 of a
// name and a counter, block after block.
type stream struct {
	name string
	n    uint32
	rest []byte
}

func (s *stream) Read(b []byte) (int, error) {
	for i := range b {
		if len(s.rest) == 0 {
			sum := sha256.Sum256(binary.BigEndian.AppendUint32([]byte(s.name), s.n))
			s.n, s.rest = s.n+1, sum[:]
		}
		b[i], s.rest = s.rest[0], s.rest[1:]
	}
	return len(b), nil
}

func people(n int) []string {
	names := []string{"alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi"}
	for i := len(names); i < n; i++ {
		names = append(names, fmt.Sprintf("holder %d", i+1))
	}
	return names[:n]
}

func split(t testing.TB, secret string, threshold, count int) (*Set, []*Share) {
	t.Helper()
	return splitFor(t, secret, "root_pin", threshold, count)
}

func splitFor(t testing.TB, secret, purpose string, threshold, count int) (*Set, []*Share) {
	t.Helper()
	random := &stream{name: fmt.Sprintf("%s %s %d %d", secret, purpose, threshold, count)}
	set, shares, err := Split(random, []byte(secret), Policy{Threshold: threshold, Holders: people(count), Purpose: purpose})
	if err != nil {
		t.Fatal(err)
	}
	return set, shares
}
