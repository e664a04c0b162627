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

// TestHelpersLoad opens a token whose module was loaded ahead, and one that was
// made ready only after that.
func TestHelpersLoad(t *testing.T) {
	module := softHSM(t)
	env := softEnv(t)
	o := addToken(t, Options{Module: module, Env: env}, "ahead")
	for _, v := range env {
		name, value, _ := strings.Cut(v, "=")
		t.Setenv(name, value)
	}
	o.Env = nil
	later := o
	later.Token = Selector{Label: "later"}
	h := StartHelpers(3)
	t.Cleanup(h.Close)
	h.Load(t.Context(), []Options{o, later, {Module: "/nowhere/module.so"}})
	for _, l := range h.loaded {
		<-l.ready
	}
	first, blind := h.loaded[0].client, h.loaded[1].client

	o.Helpers = h
	if s := openToken(t, o); s.client != first {
		t.Error("a module that was loaded ahead is not used")
	}
	if s := openToken(t, o); s.client == first {
		t.Error("one process was taken twice")
	}
	made := addToken(t, Options{Module: module, Env: env}, "later")
	made.Env, made.Token, made.Helpers = nil, later.Token, h
	if s := openToken(t, made); s.client == blind {
		t.Error("a module that did not see the token yet is used for it")
	}
	if _, err := Open(t.Context(), Options{Module: "/nowhere/module.so", Helpers: h}, []byte(userPIN)); err == nil {
		t.Error("a module that is not there was opened")
	}
}

// TestHelpersClose ends processes that nobody took.
func TestHelpersClose(t *testing.T) {
	h := StartHelpers(2)
	h.Load(t.Context(), []Options{{Module: "/nowhere/module.so"}})
	loading := h.loaded[0].client
	c := h.waiting[0]
	h.Close()
	if loading.cmd.ProcessState == nil {
		t.Error("the process that was to load a module still runs")
	}
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
