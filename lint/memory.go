package lint

import (
	"crypto/sha256"
	"encoding/binary"
	"sync"
)

// memory is what a linter has worked out already. A thousand online CAs have
// one chain and a handful of templates, and both take long. It is safe for use
// by several goroutines, and nil remembers nothing.
type memory struct {
	chains    sync.Map // of [sha256.Size]byte to string
	templates sync.Map // of [sha256.Size]byte to *trial
}

// recall gives what the same parts gave before, or works it out.
func recall[T any](m *sync.Map, parts [][]byte, work func() T) T {
	key := digestOf(parts)
	if known, ok := m.Load(key); ok {
		return known.(T)
	}
	result := work()
	m.Store(key, result)
	return result
}

// digestOf tells lists of parts apart, also where one part goes on in the next.
func digestOf(parts [][]byte) (sum [sha256.Size]byte) {
	h := sha256.New()
	for _, part := range parts {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		h.Write(part)
	}
	h.Sum(sum[:0])
	return sum
}
