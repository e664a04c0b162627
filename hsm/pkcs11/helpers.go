package pkcs11

import (
	"slices"
	"sync"
)

// Helpers are helper processes that have started and wait for a module. The
// first tokens that are opened take them, and need not wait for a process to
// start. It is safe for use by several goroutines, and nil has none.
type Helpers struct {
	mu      sync.Mutex
	waiting []*client
}

// StartHelpers starts n helper processes. No module is loaded: that is left to
// the one who opens a token. A process that does not start is not among them,
// and whoever needs one hears why.
func StartHelpers(n int) *Helpers {
	h := &Helpers{}
	for range n {
		c, err := launch(Options{})
		if err != nil {
			break
		}
		h.waiting = append(h.waiting, c)
	}
	return h
}

// take gives a process that fits the options, nil when there is none. A module
// that wants variables of its own gets a process of its own.
func (h *Helpers) take(o Options) *client {
	if h == nil || len(o.Env) > 0 {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.waiting) == 0 {
		return nil
	}
	c := h.waiting[0]
	h.waiting = slices.Delete(h.waiting, 0, 1)
	c.module, c.deadline = o.Module, o.Deadline
	return c
}

// Close ends the processes that nobody took.
func (h *Helpers) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.waiting {
		c.stop()
	}
	h.waiting = nil
}
