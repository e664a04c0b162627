package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

const softHSMModule = "/usr/lib/softhsm/libsofthsm2.so"

// softHSM gives a script tokens of its own.
func softHSM(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) != 1, "softhsm DIR")
	conf, err := softHSMConf(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Setenv("SOFTHSM2_CONF", conf)
}

func softHSMConf(dir string) (string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	text := fmt.Sprintf("directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n", dir)
	return dir + ".conf", os.WriteFile(dir+".conf", []byte(text), 0o600)
}

// hsmEstate is a planned estate with two fresh tokens.
func hsmEstate(t *testing.T) (dir string, env []string) {
	t.Helper()
	if _, err := os.Stat(softHSMModule); err != nil {
		t.Skipf("SoftHSM is not installed (%s); make test installs it", softHSMModule)
	}
	dir = estate(t, "two-tier-hsm", false)
	conf, err := softHSMConf(filepath.Join(t.TempDir(), "tokens"))
	if err != nil {
		t.Fatal(err)
	}
	env = []string{"SOFTHSM2_CONF=" + conf}
	so := filepath.Join(dir, "secrets/so.txt")
	if err := os.WriteFile(so, []byte("officer-pin"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"root", "issuing"} {
		out, err := pki(env, "token", "init", "--module", softHSMModule, "--label", "acme-"+name,
			"--pin-file", filepath.Join(dir, "secrets", name+"-pin.txt"), "--so-pin-file", so)
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	return dir, env
}

// TestKilledWithTokens ends the process around every effect of a ceremony on
// tokens. Resuming must give the same estate, and one key on each token.
func TestKilledWithTokens(t *testing.T) {
	dir, env := hsmEstate(t)
	effects := filepath.Join(t.TempDir(), "effects")
	run := func(dir string, env []string, args ...string) (string, error) {
		return pki(env, append([]string{"-C", dir}, args...)...)
	}
	tokens := strings.TrimSuffix(strings.TrimPrefix(env[0], "SOFTHSM2_CONF="), ".conf")
	fresh := func(t *testing.T) (string, []string) {
		again := filepath.Join(t.TempDir(), "estate")
		if err := copyTree(dir, again); err != nil {
			t.Fatal(err)
		}
		conf, err := softHSMConf(filepath.Join(t.TempDir(), "tokens"))
		if err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("cp", "-a", tokens+"/.", strings.TrimSuffix(conf, ".conf")).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return again, []string{"SOFTHSM2_CONF=" + conf}
	}
	whole, wholeEnv := fresh(t)
	if out, err := run(whole, append(wholeEnv, envEffects+"="+effects), "apply", filepath.Join(whole, "plan.json"), "--yes"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	text, err := os.ReadFile(effects)
	if err != nil {
		t.Fatal(err)
	}
	names := strings.Split(strings.TrimSpace(string(text)), "\n")
	keys := 0
	for i, name := range names {
		if !strings.Contains(name, " key ") && !strings.Contains(name, "key_made") && !strings.Contains(name, "token_identified") && !strings.Contains(name, "certificate_signed") {
			continue // kill_test.go ends the process at each of the others
		}
		keys++
		t.Run(fmt.Sprintf("%d %s", i+1, name), func(t *testing.T) {
			dir, env := fresh(t)
			plan := filepath.Join(dir, "plan.json")
			if out, err := run(dir, append(env, fmt.Sprintf("%s=%d", envKill, i+1)), "apply", plan, "--yes"); err == nil {
				t.Fatalf("it was not killed\n%s", out)
			}
			if out, err := run(dir, env, "apply", plan, "--yes", "--resume"); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if out, err := run(dir, env, "verify"); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
			for _, store := range []string{"root", "issuing"} {
				out, err := run(dir, env, "token", "inspect", store, "--login")
				if err != nil || strings.Count(out, "\nprivate key") != 1 || strings.Count(out, "\npublic key") != 1 {
					t.Errorf("the token %s should hold one pair (%v)\n%s", store, err, out)
				}
			}
			ledger, err := os.ReadFile(filepath.Join(dir, "ledger.jsonl"))
			if err != nil || strings.Count(string(ledger), "a signature over a random challenge verifies") != 2 {
				t.Errorf("the ledger should hold the evidence of two keys (%v)", err)
			}
		})
	}
	if keys < 8 {
		t.Errorf("only %d effects concern keys: %v", keys, names)
	}
}

// TestKilledWhileInitialising ends the process around the initialisation of a
// token by the plan. Resuming takes over what was made ready.
func TestKilledWhileInitialising(t *testing.T) {
	if _, err := os.Stat(softHSMModule); err != nil {
		t.Skipf("SoftHSM is not installed (%s); make test installs it", softHSMModule)
	}
	for name, adopted := range map[string]bool{
		"before token acme-root": false, "after token acme-root": true, "before entry token_identified": true,
		"after entry token_identified": true, "before entry token_initialized": true, "after entry token_initialized": false,
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "estate")
			if err := os.MkdirAll(filepath.Join(dir, "secrets"), 0o700); err != nil {
				t.Fatal(err)
			}
			for file, text := range map[string]string{
				"estate.pki.hcl": initialising, "secrets/pin.txt": "user-pin-1", "secrets/so.txt": "officer-pin-1",
			} {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			conf, err := softHSMConf(filepath.Join(t.TempDir(), "tokens"))
			if err != nil {
				t.Fatal(err)
			}
			env := []string{"SOFTHSM2_CONF=" + conf}
			plan, effects := filepath.Join(dir, "plan.json"), filepath.Join(t.TempDir(), "effects")
			run := func(more []string, args ...string) string {
				out, _ := pki(append(env, more...), append([]string{"-C", dir}, args...)...)
				return out
			}
			if out := run(nil, "plan", "--out", plan); !strings.Contains(out, "initialise the empty token of key_store.root") {
				t.Fatalf("the plan does not initialise\n%s", out)
			}
			// Where the effect stands is the same in every run up to it.
			at := map[string]int{"before token acme-root": 3, "after token acme-root": 4, "before entry token_identified": 5, "after entry token_identified": 6, "before entry token_initialized": 7, "after entry token_initialized": 8}[name]
			run([]string{envEffects + "=" + effects, fmt.Sprintf("%s=%d", envKill, at)}, "apply", plan, "--yes")
			if text, err := os.ReadFile(effects); err != nil || !strings.HasSuffix(string(text), name+"\n") {
				t.Fatalf("killed elsewhere (%v):\n%s", err, text)
			}
			if out := run(nil, "apply", plan, "--yes", "--resume"); !strings.Contains(out, "The ceremony is finished") {
				t.Fatalf("it did not go on\n%s", out)
			}
			if out := run(nil, "verify"); !strings.Contains(out, "ok  signatures") {
				t.Errorf("verify\n%s", out)
			}
			ledger, err := os.ReadFile(filepath.Join(dir, "ledger.jsonl"))
			if err != nil || strings.Count(string(ledger), `"kind":"token_initialized"`) != 1 || strings.Contains(string(ledger), `"adopted":true`) != adopted {
				t.Errorf("the ledger should tell of one token, adopted %t (%v)\n%s", adopted, err, ledger)
			}
			if out := run(nil, "plan", "--at", "2027-12-10T09:00:00Z"); strings.Contains(out, "initialise") || !strings.Contains(out, "CRL number 2") {
				t.Errorf("the next plan\n%s", out)
			}
		})
	}
}

// TestFaultsInACeremony holds a ceremony on a module that goes wrong at one
// call, then goes on with a sound one. The end is the same estate with one
// key, or half a pair that is named; never a second key.
func TestFaultsInACeremony(t *testing.T) {
	if _, err := os.Stat(softHSMModule); err != nil {
		t.Skipf("SoftHSM is not installed (%s); make test installs it", softHSMModule)
	}
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Skip("gcc is not installed, so no faults can be made")
	}
	base := t.TempDir()
	module := filepath.Join(base, "fault.so")
	if out, err := exec.Command("gcc", "-shared", "-fPIC", "-o", module, "../../hsm/pkcs11/testdata/fault.c", "-ldl").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	order := func(text string) {
		if err := os.WriteFile(module+".conf", []byte("module "+softHSMModule+"\n"+text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	order("")
	hcl := strings.Replace(strings.ReplaceAll(initialising, softHSMModule, module), "  so_pin     = secret.so\n  initialize = true\n", "", 1)
	model := filepath.Join(base, "model")
	if err := os.MkdirAll(filepath.Join(model, "secrets"), 0o700); err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string]string{"estate.pki.hcl": hcl, "secrets/pin.txt": "user-pin-1", "secrets/so.txt": "officer-pin-1"} {
		if err := os.WriteFile(filepath.Join(model, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	conf, err := softHSMConf(filepath.Join(base, "tokens"))
	if err != nil {
		t.Fatal(err)
	}
	env := []string{"SOFTHSM2_CONF=" + conf}
	for _, args := range [][]string{
		{"token", "init", "--module", module, "--label", "acme-root", "--pin-file", model + "/secrets/pin.txt", "--so-pin-file", model + "/secrets/so.txt"},
		{"-C", model, "plan", "--out", model + "/plan.json"},
	} {
		if out, err := pki(env, args...); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	for i, fault := range []string{
		"C_Initialize 1 return 0x5", "C_OpenSession 1 return 0x30", "C_Login 1 killafter", "C_FindObjects 1 after 0x30",
		"C_GenerateKeyPair 1 return 0x30", "C_GenerateKeyPair 1 after 0x30", "C_GenerateKeyPair 1 killafter",
		"C_Sign 1 after 0x30", "C_Sign 2 after 0x30", "C_Sign 2 flip", "C_Sign 3 killafter", "C_SignInit 3 return 0x30",
	} {
		t.Run(fault, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "estate")
			if err := copyTree(model, dir); err != nil {
				t.Fatal(err)
			}
			tokens := filepath.Join(t.TempDir(), "tokens")
			if err := copyTree(filepath.Join(base, "tokens"), tokens); err != nil {
				t.Fatal(err)
			}
			conf, err := softHSMConf(tokens)
			if err != nil {
				t.Fatal(err)
			}
			env := []string{"SOFTHSM2_CONF=" + conf}
			apply := []string{"-C", dir, "apply", filepath.Join(dir, "plan.json"), "--yes"}
			order(fault)
			out, err := pki(env, apply...)
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != exitToken {
				t.Errorf("%v, want exit code %d\n%s", err, exitToken, out)
			}
			if signing := i >= 8 && !strings.Contains(fault, "SignInit"); signing != strings.Contains(out, "a signature may have been made") {
				t.Errorf("does it say that a signature may have been made?\n%s", out)
			}
			order("")
			if _, err := os.Stat(filepath.Join(dir, "ledger.jsonl")); err == nil {
				apply = append(apply, "--resume")
			}
			if out, err := pki(env, apply...); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if ledger, err := os.ReadFile(filepath.Join(dir, "ledger.jsonl")); err != nil || strings.Contains(string(ledger), `"maybe_signed":true`) != (i >= 8) {
				t.Errorf("does the ledger say that something may have been signed? (%v)\n%s", err, ledger)
			}
			if out, err := pki(env, "-C", dir, "verify"); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
			if out, err := pki(env, "-C", dir, "token", "inspect", "root", "--login"); err != nil || strings.Count(out, "\nprivate key") != 1 || strings.Count(out, "\npublic key") != 1 {
				t.Errorf("the token should hold one pair (%v)\n%s", err, out)
			}
		})
	}
}

const initialising = `
estate "acme" { environment = "lab" }
secret "pin" { file = "secrets/pin.txt" }
secret "so" { file = "secrets/so.txt" }
key_store "pkcs11" "root" {
  module     = "` + softHSMModule + `"
  token      = "acme-root"
  pin        = secret.pin
  so_pin     = secret.so
  initialize = true
}
authority "root" {
  subject {
    common_name  = "ACME Root CA G1"
    organization = ["ACME"]
    country      = ["US"]
  }
  key {
    store     = key_store.root
    algorithm = "ecdsa-p384"
  }
  validity = "20y"
  crl {
    urls        = ["http://pki.acme.example/root.crl"]
    valid_for   = "360d"
    issue_every = "330d"
  }
}
`

// TestHardwarePage does what docs/hardware.md tells the reader to do.
func TestHardwarePage(t *testing.T) {
	if _, err := os.Stat(softHSMModule); err != nil {
		t.Skipf("SoftHSM is not installed (%s); make test installs it", softHSMModule)
	}
	page, err := os.ReadFile("../../docs/hardware.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(page), "```\n")
	if len(blocks) < 3 || !strings.Contains(blocks[1], "\npki token init ") && !strings.Contains(blocks[1], "  pki token init ") {
		t.Fatal("the page does not begin with commands")
	}
	c := exec.Command("sh", "-eu", "-c", strings.Replace(blocks[1], "apt-get install softhsm2\n", "", 1))
	c.Dir = t.TempDir()
	if out, err := c.CombinedOutput(); err != nil || !strings.Contains(string(out), "private key") {
		t.Errorf("%v\n%s", err, out)
	}
}
