package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// refusedToken is a ceremony that is not to begin, or one that nearly is not.
type refusedToken struct {
	estate   [2]string // what is written in place of what
	orders   string    // of module a
	tokens   func(t *testing.T, dir, tokens string, env []string)
	args     []string
	says     []string
	finished bool
}

// refusedTokens lists tokens that are not the one, and tokens that may not be logged
// in to. pin and so are files with the PINs.
func refusedTokens(pin, so string) map[string]refusedToken {
	pad := [2]string{"pin    = secret.pin\n}\nkey_store \"pkcs11\" \"b\"", "pin_pad = true\n}\nkey_store \"pkcs11\" \"b\""}
	return map[string]refusedToken{
		"locked": {orders: "flags 0x40000", says: []string{`token "acme-a"`, "is locked after too many wrong PINs; the security officer's PIN or the vendor's reset unlocks it"}},
		"one try left": {orders: "flags 0x20000",
			says: []string{"has one try left before it locks; find out why the PIN was wrong before, then allow the last try with --last-pin-try"}},
		"one try left, and it is wanted": {orders: "flags 0x20000", args: []string{"--last-pin-try"}, finished: true},
		"locked at the last wrong try": {orders: "C_Login 1 return 0xA4",
			says: []string{"the token is locked after too many wrong PINs", "C_Login: CKR_PIN_LOCKED 0xA4"}},
		"no PIN pad": {estate: pad,
			says: []string{"has no pin pad; give the PIN instead of pin_pad"}},
		"PIN pad": {estate: pad,
			orders: "pad user-pin-1", finished: true},
		"wrong PIN on the pad": {estate: pad,
			orders: "pad 999999", says: []string{"the token refused the PIN; it was tried once and will not be tried again by itself"}},
		"PIN beside a pad": {orders: "pad user-pin-1", says: []string{"the token has a PIN pad, so write pin_pad = true in place of pin"}},
		"another serial number": {estate: [2]string{`token  = "acme-a"`, "token  = \"acme-a\"\n  serial = \"0123456789abcdef\""},
			says: []string{`no token has label "acme-a", serial "0123456789abcdef"; plug the right one in; there is`, `"acme-b", serial`}},
		"another manufacturer": {estate: [2]string{`token  = "acme-a"`, "token  = \"acme-a\"\n  manufacturer = \"ACME\""},
			says: []string{`no token has label "acme-a", manufacturer "ACME"`}},
		"PIN too long": {tokens: func(t *testing.T, dir, _ string, _ []string) {
			if err := os.WriteFile(filepath.Join(dir, "pin.txt"), []byte(strings.Repeat("9", 300)), 0o600); err != nil {
				t.Fatal(err)
			}
		}, says: []string{"takes PINs of 4 to 255 characters, and this one has 300, so it was not tried"}},
		"label twice": {tokens: func(t *testing.T, dir, tokens string, env []string) {
			other, err := softHSMConf(filepath.Join(t.TempDir(), "more"))
			if err != nil {
				t.Fatal(err)
			}
			must(t, []string{"SOFTHSM2_CONF=" + other}, "token", "init", "--module", softHSMModule, "--label", "acme-a", "--pin-file", pin, "--so-pin-file", so)
			if out, err := exec.Command("cp", "-a", strings.TrimSuffix(other, ".conf")+"/.", tokens).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
		}, says: []string{`2 tokens have label "acme-a"; name one of them by its serial, manufacturer or model: "acme-a", serial`}},
		"taken out since the plan": {tokens: func(t *testing.T, _, tokens string, _ []string) {
			if err := errors.Join(os.RemoveAll(tokens), os.Mkdir(tokens, 0o700)); err != nil {
				t.Fatal(err)
			}
		}, says: []string{`no token has label "acme-a"; there is none at all; plug the token in, or initialise one with pki token init`}},
		"objects of its key's label": {tokens: func(t *testing.T, _, _ string, env []string) {
			vendorsTool(t, env, "--keypairgen", "--key-type", "EC:secp384r1", "--id", "01", "--label", "root")
		}, says: []string{"there is already a", `key with label "root" and id 01`, "choose another token or another name; pki token inspect lists what is there"}},
		"half a pair of another key": {tokens: func(t *testing.T, _, _ string, env []string) {
			vendorsTool(t, env, "--keypairgen", "--key-type", "EC:secp384r1", "--id", "02", "--label", "old")
			vendorsTool(t, env, "--delete-object", "--type", "privkey", "--id", "02")
		}, finished: true, says: []string{`NOTE: token "acme-a" holds a public key with label "old" and id 02: half a pair: the private key is missing. It is left as it is`}},
	}
}

// vendorsTool does something to token acme-a behind the ceremony's back.
func vendorsTool(t *testing.T, env []string, args ...string) {
	t.Helper()
	tool, err := exec.LookPath("pkcs11-tool")
	if err != nil {
		t.Skip("pkcs11-tool is not installed, so nothing is put on the token")
	}
	own := exec.Command(tool, append([]string{"--module", softHSMModule, "--token-label", "acme-a", "--login", "--pin", "user-pin-1"}, args...)...)
	own.Env = append(os.Environ(), env...)
	if out, err := own.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// TestTokensThatAreRefused goes to a ceremony with each. The words say what is so
// and what to do, the exit code is that of tokens, and nothing was begun.
func TestTokensThatAreRefused(t *testing.T) {
	s := newFaultScene(t)
	for name, c := range refusedTokens(filepath.Join(s.estate, "pin.txt"), filepath.Join(s.estate, "so.txt")) {
		t.Run(name, func(t *testing.T) {
			dir, env := s.fresh(t)
			tokens := strings.TrimSuffix(strings.TrimPrefix(env[0], "SOFTHSM2_CONF="), ".conf")
			s.order("", "")
			if c.estate[0] != "" {
				file := filepath.Join(dir, "estate.pki.hcl")
				text, err := os.ReadFile(file)
				if err != nil || !strings.Contains(string(text), c.estate[0]) {
					t.Fatalf("the estate has no %q (%v)", c.estate[0], err)
				}
				if err := os.WriteFile(file, []byte(strings.Replace(string(text), c.estate[0], c.estate[1], 1)), 0o600); err != nil {
					t.Fatal(err)
				}
				if err := os.Remove(planOf(dir)); err != nil {
					t.Fatal(err)
				}
				must(t, env, "-C", dir, "plan", "--out", planOf(dir))
			}
			if c.tokens != nil {
				c.tokens(t, dir, tokens, env)
			}
			s.order(c.orders, "")
			out, err := pki(env, append([]string{"-C", dir, "apply", planOf(dir), "--yes"}, c.args...)...)
			if c.finished {
				if err != nil {
					t.Fatalf("%v\n%s", err, out)
				}
			} else if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != exitToken {
				t.Errorf("%v, want exit code %d", err, exitToken)
			}
			for _, words := range c.says {
				if !strings.Contains(strings.Join(strings.Fields(out), " "), words) {
					t.Errorf("it does not say %q\n%s", words, out)
				}
			}
			if _, err := os.Stat(filepath.Join(dir, ledgerName)); (err == nil) != c.finished {
				t.Errorf("was a ledger begun? want %t (%v)", c.finished, err)
			}
		})
	}
}
