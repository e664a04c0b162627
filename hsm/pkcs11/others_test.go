//go:build cgo

package pkcs11

import (
	"crypto"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"pki.internal/hsm"
	"pki.internal/spec"
)

// newNSS makes a database of NSS, the module whose word is worth least.
func newNSS(t *testing.T) Options {
	t.Helper()
	module := installed(t, "NSS softokn", "/usr/lib/x86_64-linux-gnu/libsoftokn3.so", "/usr/lib/x86_64-linux-gnu/nss/libsoftokn3.so", "/usr/lib64/libsoftokn3.so")
	certutil := installed(t, "certutil of NSS", "/usr/bin/certutil")
	dir := t.TempDir()
	pin := filepath.Join(dir, "pin")
	if err := os.WriteFile(pin, []byte(userPIN+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(certutil, "-N", "-d", "sql:"+dir, "-f", pin).CombinedOutput(); err != nil {
		t.Fatalf("certutil: %v: %s", err, out)
	}
	return Options{
		Module: module, Token: Selector{Label: "NSS Certificate DB"},
		InitArgs: fmt.Sprintf("configdir='sql:%s' certPrefix='' keyPrefix='' secmod='secmod.db' flags=", dir),
	}
}

func TestNSS(t *testing.T) {
	o := newNSS(t)
	s := openToken(t, o)
	for _, a := range []spec.Algorithm{spec.ECDSAP256, spec.ECDSAP384, spec.ECDSAP521} {
		k := keySpec(a, "key-"+string(a))
		made, evidence, err := s.Generate(t.Context(), k)
		if err != nil {
			t.Fatalf("%s: %v", a, err)
		}
		if !slices.ContainsFunc(evidence, func(e hsm.Evidence) bool {
			return e.Against && strings.Contains(e.Claim, "SUCCEEDED: this token is as good as software")
		}) {
			t.Errorf("%s: nothing says that this token gives keys away: %v", a, evidence)
		}
		if found, err := s.Find(t.Context(), k, spki(t, made)); err != nil || !same(spki(t, found), spki(t, made)) {
			t.Errorf("%s: %v", a, err)
		}
		// This module would destroy the first key and say that all is well.
		again := keySpec(a, "another-"+string(a))
		again.ID = k.ID
		if _, _, err := s.Generate(t.Context(), again); !errors.Is(err, hsm.ErrExists) {
			t.Errorf("%s with an id that is taken: %v", a, err)
		}
		if _, err := s.Find(t.Context(), k, spki(t, made)); err != nil {
			t.Errorf("%s after it: %v", a, err)
		}
	}
	if _, _, err := s.Generate(t.Context(), keySpec(spec.Ed25519, "ed")); !errors.Is(err, hsm.ErrUnsupported) {
		t.Errorf("Ed25519: %v", err)
	}
	if _, err := Open(t.Context(), o, []byte("wrong-pin-1")); !errors.Is(err, hsm.ErrWrongPIN) {
		t.Errorf("wrong PIN: %v", err)
	}
}

// TestNSSReport is the reason why attributes are not believed: this module
// gives away keys that it calls never extractable.
func TestNSSReport(t *testing.T) {
	if testing.Short() {
		t.Skip("makes RSA keys, which takes seconds")
	}
	c, err := Test(t.Context(), newNSS(t), []byte(userPIN))
	if err != nil {
		t.Fatal(err)
	}
	if why, works := c.Can(spec.Ed25519); works || why == "" {
		t.Errorf("Ed25519: %q, %t", why, works)
	}
	if _, works := c.Can(spec.ECDSAP384); !works {
		t.Error("P-384 does not work")
	}
	if why, can := c.CanCopy(spec.ECDSAP384); can || !strings.Contains(why, "it gives away a key that it calls not extractable") {
		t.Errorf("P-384 can be copied: %t, %s", can, why)
	}
	if text := strings.Join(c.Observations, "\n"); !strings.Contains(text, "treat this token as software") || !strings.Contains(text, "no serial number") {
		t.Errorf("observations = %q", text)
	}
}

// TestDeviceLost takes the device away while a key is in use: the process in
// which p11-kit holds the token is killed.
func TestDeviceLost(t *testing.T) {
	o := newToken(t, "remote")
	k := keySpec(spec.ECDSAP256, "root")
	made, _, err := openToken(t, o).Generate(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	remote, server := served(t, o, "remote")
	s := openToken(t, remote)
	found, err := s.Find(t.Context(), k, spki(t, made))
	if err != nil {
		t.Fatal(err)
	}
	killed := 0
	for _, pid := range childrenOf(t, server.Process.Pid) {
		if err := syscall.Kill(pid, syscall.SIGKILL); err == nil {
			killed++
		}
	}
	if killed == 0 {
		t.Fatal("the server has no process for this client")
	}
	digest := sha256.Sum256([]byte("message"))
	if signature, err := found.Sign(t.Context(), digest[:], crypto.SHA256); !errors.Is(err, hsm.ErrTokenGone) || signature != nil {
		t.Errorf("Sign = %x, %v", signature, err)
	}
	if _, err := openToken(t, o).Find(t.Context(), k, spki(t, made)); err != nil {
		t.Errorf("after the device is back: %v", err)
	}
}

func childrenOf(t *testing.T, pid int) []int {
	t.Helper()
	var found []int
	names, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		var child, parent int
		var state string
		after := string(text[strings.LastIndexByte(string(text), ')')+1:])
		fmt.Sscanf(string(text), "%d", &child)
		fmt.Sscanf(after, "%s %d", &state, &parent)
		if parent == pid {
			found = append(found, child)
		}
	}
	return found
}
