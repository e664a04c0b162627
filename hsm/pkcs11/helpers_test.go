//go:build cgo

package pkcs11

import (
	"strings"
	"testing"
)

// TestHelpers opens tokens in processes that have waited, until none is left.
func TestHelpers(t *testing.T) {
	module := softHSM(t)
	env := softEnv(t)
	o := addToken(t, Options{Module: module, Env: env}, "waiting")
	for _, v := range env { // a waiting process has the environment of this one
		name, value, _ := strings.Cut(v, "=")
		t.Setenv(name, value)
	}
	h := StartHelpers(2)
	first, second := h.waiting[0], h.waiting[1]
	t.Cleanup(h.Close)

	o.Helpers = h
	if s := openToken(t, o); s.client == first || s.client == second {
		t.Error("a module that wants variables of its own was loaded in a process without them")
	}
	o.Env = nil
	for want, c := range []*client{first, second} {
		if s := openToken(t, o); s.client != c {
			t.Errorf("open %d did not take the process that waited", want+1)
		}
	}
	if s := openToken(t, o); s.client == first || s.client == second {
		t.Error("one process was taken twice")
	}
}

// TestHelpersClose ends processes that nobody took.
func TestHelpersClose(t *testing.T) {
	h := StartHelpers(1)
	c := h.waiting[0]
	h.Close()
	if c.cmd.ProcessState == nil {
		t.Error("the process still runs")
	}
	if h.take(Options{}) != nil {
		t.Error("an ended process was given")
	}
	if (*Helpers)(nil).take(Options{}) != nil {
		t.Error("nil has a process")
	}
}
