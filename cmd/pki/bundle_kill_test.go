package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestKilledWhileOpening ends the process at every effect of opening a bundle.
// A new folder is there whole or not at all; in an estate, opening again ends
// the same.
func TestKilledWhileOpening(t *testing.T) {
	before, after := estate(t, "two-tier", false), estate(t, "two-tier", true)
	name := filepath.Join(t.TempDir(), "back.bundle")
	if out, err := pki(nil, "-C", after, "bundle", "create", "--out", name); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for kind, start := range map[string]func(dir string) error{
		"new folder": func(string) error { return nil },
		"estate":     func(dir string) error { return copyTree(before, dir) },
	} {
		effects := filepath.Join(t.TempDir(), "effects")
		whole := filepath.Join(t.TempDir(), "whole")
		if err := start(whole); err != nil {
			t.Fatal(err)
		}
		if out, err := pki([]string{envEffects + "=" + effects}, "bundle", "open", name, whole); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		text, err := os.ReadFile(effects)
		if err != nil {
			t.Fatal(err)
		}
		count := strings.Count(string(text), "\n")
		if count < 11 {
			t.Errorf("%s: only %d effects\n%s", kind, count, text)
		}
		for n := 1; n <= count; n++ {
			dir := filepath.Join(t.TempDir(), "estate")
			if err := start(dir); err != nil {
				t.Fatal(err)
			}
			if out, err := pki([]string{fmt.Sprintf("%s=%d", envKill, n)}, "bundle", "open", name, dir); err == nil {
				t.Fatalf("%s: it was not killed at effect %d\n%s", kind, n, out)
			}
			if _, err := os.Stat(dir); kind == "new folder" && err == nil {
				t.Errorf("the new folder is there after a kill at effect %d", n)
			}
			// After the last file has its name there is nothing left to do.
			if out, err := pki(nil, "bundle", "open", name, dir); err != nil && !strings.Contains(out, "has been opened here already") {
				t.Errorf("%s, killed at effect %d: %v\n%s", kind, n, err, out)
			}
			if out, err := pki(nil, "-C", dir, "verify"); err != nil && !strings.Contains(out, "rendered/") {
				t.Errorf("%s, killed at effect %d: %v\n%s", kind, n, err, out)
			}
		}
	}
}
