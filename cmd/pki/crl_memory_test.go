package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"testing"
)

// peak signs a CRL of n entries and gives the process's greatest memory in
// MiB. Entries come in no order: that is the hardest case.
func peak(t *testing.T, d crlDesk, n int) int64 {
	t.Helper()
	index := filepath.Join(d.dir, fmt.Sprintf("%d.csv", n))
	f, err := os.Create(index)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(f)
	for i := range n {
		fmt.Fprintf(w, "0x%016x%08x,2026-12-01T09:00:00Z,superseded\n", uint64(i+1)*0x9e3779b97f4a7c15, i)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "long.crl")
	args := append(slices.Clone(d.args), "--number", "1", "--out", out, "--revoked", index)
	args = slices.DeleteFunc(args, func(s string) bool { return s == filepath.Join(d.dir, "index.txt") })
	args = slices.Delete(args, slices.Index(args, "--revoked"), slices.Index(args, "--revoked")+1)
	c := exec.Command("pki", args...)
	c.Env = append(os.Environ(), at(1)...)
	if text, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return c.ProcessState.SysUsage().(*syscall.Rusage).Maxrss >> 10 // Linux counts in KiB
}

// TestMemoryDoesNotGrow signs lists of 60,000 and of 500,000 entries. The
// records of the longer one alone have 22 MiB and its DER 19.
func TestMemoryDoesNotGrow(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("memory is counted as Linux does")
	}
	d := newCRLDesk(t)
	short, long := peak(t, d, 60_000), peak(t, d, 500_000)
	t.Logf("%d MiB for 60,000 entries, %d MiB for 500,000", short, long)
	if long > short+16 {
		t.Errorf("the peak is %d MiB for 60,000 entries and %d MiB for 500,000", short, long)
	}
}
