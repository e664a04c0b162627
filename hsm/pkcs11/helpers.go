package pkcs11

import (
	"context"
	"slices"
	"sync"
)

// Helpers are helper processes that have started before anyone opens a token,
// so that whoever does need not wait for a process and its module. It is safe
// for use by several goroutines, and nil has none.
type Helpers struct {
	mu      sync.Mutex
	waiting []*client // for a module
	loaded  []*loaded
}

// loaded is a process with its module, as soon as ready is closed.
type loaded struct {
	client *client
	o      Options
	ready  chan struct{}
	err    error
}

// StartHelpers starts n helper processes, and loads no module. A process that
// does not start is not among them, and whoever needs one hears why.
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

// Load loads in each of the waiting processes the module of one token. It does
// not wait for that, and logs in to nothing. A module that wants variables of
// its own gets a process of its own, later.
func (h *Helpers) Load(ctx context.Context, tokens []Options) {
	for _, o := range tokens {
		c := h.take(o)
		if c == nil {
			continue
		}
		l := &loaded{client: c, o: o, ready: make(chan struct{})}
		h.mu.Lock()
		h.loaded = append(h.loaded, l)
		h.mu.Unlock()
		go func() {
			defer close(l.ready)
			l.err = c.load(ctx, o)
		}()
	}
}

// take gives a process without a module, nil when there is none.
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

// takeLoaded gives the process with the module of this very token, nil when
// there is none, or when the module did not see the token at that time: it may
// have been plugged in or made ready since.
func (h *Helpers) takeLoaded(o Options) *client {
	if h == nil {
		return nil
	}
	h.mu.Lock()
	i := slices.IndexFunc(h.loaded, func(l *loaded) bool {
		return l.o.Module == o.Module && l.o.SHA256 == o.SHA256 && l.o.InitArgs == o.InitArgs && l.o.Token == o.Token && slices.Equal(l.o.Env, o.Env)
	})
	if i < 0 {
		h.mu.Unlock()
		return nil
	}
	l := h.loaded[i]
	h.loaded = slices.Delete(h.loaded, i, i+1)
	h.mu.Unlock()
	<-l.ready
	if l.err == nil {
		_, l.err = o.Token.choose(l.client.tokens)
	}
	if l.err != nil {
		l.client.stop()
		return nil
	}
	return l.client
}

// Close ends the processes that nobody took.
func (h *Helpers) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.waiting {
		c.stop()
	}
	for _, l := range h.loaded {
		l.client.stop()
		<-l.ready
	}
	h.waiting, h.loaded = nil, nil
}
