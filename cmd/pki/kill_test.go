package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"pki.internal/ceremony/ledger"
	"pki.internal/plan"
)

// TestKilledAtEveryEffect ends the ceremony with SIGKILL at each of its
// effects in turn, and some of the resumed runs too, and expects that
// --resume comes to the same end with no second key. With -short it takes
// every fourth.
func TestKilledAtEveryEffect(t *testing.T) {
	t.Parallel()
	whole := estate(t, "two-tier", false)
	record := filepath.Join(t.TempDir(), "effects")
	must(t, []string{envEffects + "=" + record}, "-C", whole, "apply", planOf(whole), "--yes")
	effects := linesOf(t, record)
	want := endOf(t, whole)
	// Two keys, eleven entries, nine files of certificates and CRLs and eight
	// rendered ones: a hook that is lost must not make this test an easy one.
	if least := 2*2 + 2*11 + 9 + 8; len(effects) < least {
		t.Fatalf("only %d effects were seen, want %d: %v", len(effects), least, effects)
	}
	for i, effect := range effects {
		if testing.Short() && i%4 != 0 {
			continue
		}
		t.Run(fmt.Sprintf("%02d %s", i+1, effect), func(t *testing.T) {
			t.Parallel()
			dir := estate(t, "two-tier", false)
			killed(t, i+1, "-C", dir, "apply", planOf(dir), "--yes")
			switch {
			case i%3 == 0:
				// The second run ends a few effects on, or carries it through.
				_, err := pki([]string{fmt.Sprintf("%s=%d", envKill, 1+i%7)}, "-C", dir, "apply", planOf(dir), "--yes", "--resume")
				if err != nil && !isKilled(err) {
					t.Fatal(err)
				}
			case i%3 == 1:
				tear(t, dir)
			}
			must(t, nil, "-C", dir, "apply", planOf(dir), "--yes", "--resume")
			must(t, nil, "-C", dir, "verify")
			have := endOf(t, dir)
			if !slices.Equal(have.files, want.files) {
				t.Errorf("files are\n%s\nwant\n%s", strings.Join(have.files, "\n"), strings.Join(want.files, "\n"))
			}
			if !maps.Equal(have.serials, want.serials) {
				t.Errorf("serials are %v, want %v", have.serials, want.serials)
			}
			if !slices.Equal(have.facts, want.facts) {
				t.Errorf("the ledger has %v, want %v", have.facts, want.facts)
			}
		})
	}
}

// TestKilledInsideTheKeyStore puts there what a kill between two steps of the
// key store leaves: a piece of a key, and a whole key with its temporary name.
func TestKilledInsideTheKeyStore(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(t *testing.T, key string){
		"half a key under the temporary name": func(t *testing.T, key string) {
			if err := errors.Join(os.Rename(key, key+".new"), os.Truncate(key+".new", 100)); err != nil {
				t.Fatal(err)
			}
		},
		"a key under both names": func(t *testing.T, key string) {
			if err := os.Link(key, key+".new"); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := estate(t, "two-tier", false)
			killed(t, afterRootKey, "-C", dir, "apply", planOf(dir), "--yes")
			leave(t, filepath.Join(dir, "keys/root/root.key"))
			must(t, nil, "-C", dir, "apply", planOf(dir), "--yes", "--resume")
			must(t, nil, "-C", dir, "verify")
			keys, err := listing(filepath.Join(dir, "keys"))
			if err != nil {
				t.Fatal(err)
			}
			if want := []string{"-rw------- online/issuing.key", "-rw------- root/root.key"}; !slices.Equal(keys, want) {
				t.Errorf("keys are %v, want %v", keys, want)
			}
		})
	}
}

// afterRootKey is the effect at which the first key has just been made, as
// the script apply_interrupted lists them.
const afterRootKey = 6

func planOf(dir string) string { return filepath.Join(dir, "plan.json") }

// killed runs the program and expects that it dies at an effect.
func killed(t *testing.T, effect int, args ...string) {
	t.Helper()
	out, err := pki([]string{fmt.Sprintf("%s=%d", envKill, effect)}, args...)
	if !isKilled(err) {
		t.Fatalf("it was not killed at effect %d: %v\n%s", effect, err, out)
	}
}

func isKilled(err error) bool {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return false
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}

// tear adds a piece of an entry to a ledger.
func tear(t *testing.T, dir string) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(dir, ledgerName), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(`{"fact":{"audience":"public","ke`); err != nil {
		t.Fatal(err)
	}
}

func linesOf(t *testing.T, name string) []string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

// end is what must be the same whenever a ceremony was interrupted.
type end struct {
	files   []string          // with their modes
	serials map[string]string // of certificates, by file
	facts   []string          // of the ledger, without the interruptions
}

func endOf(t *testing.T, dir string) end {
	t.Helper()
	files, err := listing(dir)
	if err != nil {
		t.Fatal(err)
	}
	e := end{files: files, serials: map[string]string{}}
	ders, err := filepath.Glob(filepath.Join(dir, "certs", "*.cer"))
	if err != nil || len(ders) == 0 {
		t.Fatalf("there are no certificates in %s (%v)", dir, err)
	}
	for _, name := range ders {
		der, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		c, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		e.serials[filepath.Base(name)] = c.SerialNumber.Text(16)
	}
	text, err := os.ReadFile(filepath.Join(dir, ledgerName))
	if err != nil {
		t.Fatal(err)
	}
	book, torn, err := ledger.Read(text)
	if err != nil || len(torn) > 0 {
		t.Fatalf("the ledger has %d torn bytes, %v", len(torn), err)
	}
	for _, entry := range book.Entries {
		if entry.Fact.Kind != plan.CeremonyResumed {
			e.facts = append(e.facts, string(entry.Fact.Kind))
		}
	}
	return e
}
