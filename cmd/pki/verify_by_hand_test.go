package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestVerifyByHand runs the commands of docs/verify-by-hand.md on what a
// ceremony gave, on a public copy, and on folders in which one thing is wrong.
func TestVerifyByHand(t *testing.T) {
	for _, program := range []string{"bash", "openssl", "jq", "sha256sum"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed", program)
		}
	}
	page, err := os.ReadFile("../../docs/verify-by-hand.md")
	if err != nil {
		t.Fatal(err)
	}
	var script strings.Builder
	for _, block := range regexp.MustCompile("(?s)```bash\n(.*?)```").FindAllSubmatch(page, -1) {
		script.Write(block[1])
	}
	run := func(dir string) (string, error) {
		c := exec.Command("bash", "-c", script.String())
		c.Dir = dir
		out, err := c.CombinedOutput()
		return string(out), err
	}
	work := t.TempDir()
	tool := func(name string, args ...string) {
		if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
	}
	dir, key := estate(t, "two-tier", true), filepath.Join(work, "key.pem")
	tool("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key)
	tool("openssl", "ec", "-in", key, "-pubout", "-out", filepath.Join(dir, "auditor.pub"))
	must(t, nil, "-C", dir, "verify", "--head-out", filepath.Join(dir, "head.json"), "--sign-head", key)
	out, err := run(dir)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for text, times := range map[string]int{"ledger: 11 lines, head ": 1, "plan: ": 1, "certificate: ": 2, "CRL: ": 2, "in the ledger: ": 4, "Verified OK": 1} {
		if strings.Count(out, text) != times {
			t.Errorf("%q should be said %d times:\n%s", text, times, out)
		}
	}
	ledger, err := os.ReadFile(filepath.Join(dir, ledgerName))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(strings.TrimSpace(string(ledger)), "\n")
	for i := range lines {
		changed := append([]string{}, lines...)
		changed[i] = strings.Replace(changed[i], `"time":"2027`, `"time":"2026`, 1)
		damaged(t, dir, ledgerName, strings.Join(changed, "")+"\n", run, "is wrong")
	}
	damaged(t, dir, "certs/root.cer", "x", run, "FAILED")
	damaged(t, dir, "auditor.pub", "x", run, "")
}

// damaged writes a file anew in a copy of a folder and wants the commands to
// stop and say why.
func damaged(t *testing.T, dir, name, text string, run func(string) (string, error), want string) {
	t.Helper()
	other := filepath.Join(t.TempDir(), "damaged")
	if err := copyTree(dir, other); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(other, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := run(other); err == nil || !strings.Contains(out, want) {
		t.Errorf("%s was changed: %v, want %q\n%s", name, err, want, out)
	}
}
