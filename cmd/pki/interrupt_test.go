//go:build unix

package main

import (
	"bytes"
	"errors"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// TestInterruptEndsALook interrupts a command that would read its input for
// ever. It makes nothing, so it ends where it is.
func TestInterruptEndsALook(t *testing.T) {
	t.Parallel()
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		c := exec.Command("pki", "lint", "-")
		input, err := c.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		defer time.AfterFunc(time.Minute, func() { _ = c.Process.Kill() }).Stop() // it did not end
		// More than a pipe holds: when this is written, the command reads.
		if _, err := input.Write(bytes.Repeat([]byte("-"), 1<<20)); err != nil {
			t.Fatal(err)
		}
		if err := c.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		var ended *exec.ExitError
		if err := c.Wait(); !errors.As(err, &ended) {
			t.Fatalf("it ended with %v", err)
		}
		if status := ended.Sys().(syscall.WaitStatus); status.Signal() != signal {
			t.Errorf("after %s it ended with %s", signal, ended)
		}
	}
}
