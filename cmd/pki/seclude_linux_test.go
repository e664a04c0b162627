package main

import (
	"syscall"
	"testing"
)

// prGetDumpable is PR_GET_DUMPABLE of prctl(2).
const prGetDumpable = 3

// TestNoCore holds that the kernel makes no core of the program, whatever
// core_pattern says, and that every command begins so.
func TestNoCore(t *testing.T) {
	dumpable := func() uintptr {
		now, _, number := syscall.RawSyscall(syscall.SYS_PRCTL, prGetDumpable, 0, 0)
		if number != 0 {
			t.Fatal(number)
		}
		return now
	}
	before := dumpable()
	if err := seclude(); err != nil {
		t.Fatal(err)
	}
	now := dumpable()
	if _, _, number := syscall.RawSyscall(syscall.SYS_PRCTL, prSetDumpable, before, 0); number != 0 {
		t.Fatal(number)
	}
	if now != 0 {
		t.Errorf("a core could be made: dumpable is %d", now)
	}
	for _, c := range rootCommand(&app{}).Commands() {
		if c.PersistentPreRunE != nil {
			t.Errorf("pki %s begins in its own way, and not with seclude", c.Name())
		}
	}
}
