package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const keepsTwo = `{"format":"pki-token/1","module":{"path":"","sha256":"","library":"","version":""},
"token":{"label":"acme-%s","serial":"","manufacturer":"","model":"","hardware_version":"","firmware_version":"","min_pin":4,"max_pin":255,"id_bytes":2},
"algorithms":[{"algorithm":"ecdsa-p384","works":true}],"confinement":[],"mechanisms":[]}`

// TestTokenOfShortIDs holds a ceremony on tokens that keep two bytes of a key's id.
// Without a capability file it does not begin; with one the plan draws ids that the tokens keep, for the key and
// for its backup.
func TestTokenOfShortIDs(t *testing.T) {
	s := newFaultScene(t)
	dir, env := s.fresh(t)
	s.order("id 2", "id 2")
	out, err := pki(env, "-C", dir, "apply", planOf(dir), "--yes")
	var exit *exec.ExitError
	if text := strings.Join(strings.Fields(out), " "); !errors.As(err, &exit) || exit.ExitCode() != exitToken ||
		!strings.Contains(text, "the token keeps 2 bytes of a key's id, and plans draw ids of 16; run pki token test --out FILE") {
		t.Fatalf("%v, want exit code %d\n%s", err, exitToken, out)
	}
	if _, err := os.Stat(filepath.Join(dir, ledgerName)); err == nil {
		t.Error("a ledger was begun")
	}

	dir, env = s.fresh(t)
	file := filepath.Join(dir, "estate.pki.hcl")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	changed := string(text)
	for _, token := range []string{"a", "b"} {
		changed = strings.Replace(changed, `token  = "acme-`+token+`"`, `token  = "acme-`+token+"\"\n  capabilities = \""+token+`.json"`, 1)
		if err := os.WriteFile(filepath.Join(dir, token+".json"), fmt.Appendf(nil, keepsTwo, token), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.WriteFile(file, []byte(changed), 0o600), os.Remove(planOf(dir))); err != nil {
		t.Fatal(err)
	}
	if out := must(t, env, "-C", dir, "plan", "--out", planOf(dir)); !regexp.MustCompile(`\n +Key id +[0-9a-f]{4}\n`).MatchString(out) {
		t.Errorf("the plan draws no id of two bytes\n%s", out)
	}
	must(t, env, "-C", dir, "apply", planOf(dir), "--yes")
	s.whole(t, dir, env, false)
}

// TestBackupOnATokenOfShortIDs wants a clone of a key whose id is longer than
// the second token keeps.
func TestBackupOnATokenOfShortIDs(t *testing.T) {
	s := newFaultScene(t)
	dir, env := s.fresh(t)
	file := filepath.Join(dir, "estate.pki.hcl")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const backup = "backup    = [key_store.b]"
	alone := strings.Replace(string(text), backup, "", 1)
	if err := errors.Join(os.WriteFile(file, []byte(alone), 0o600), os.Remove(planOf(dir))); err != nil {
		t.Fatal(err)
	}
	must(t, env, "-C", dir, "plan", "--out", planOf(dir))
	must(t, env, "-C", dir, "apply", planOf(dir), "--yes")
	wanted := strings.Replace(strings.Replace(string(text), backup, backup+"\n    backup_policy = \"vendor-clone\"", 1), `token  = "acme-b"`, "token  = \"acme-b\"\n  capabilities = \"b.json\"", 1)
	if err := errors.Join(os.WriteFile(file, []byte(wanted), 0o600), os.WriteFile(filepath.Join(dir, "b.json"), fmt.Appendf(nil, keepsTwo, "b"), 0o600)); err != nil {
		t.Fatal(err)
	}
	out, err := pki(env, "-C", dir, "plan")
	if said := strings.Join(strings.Fields(strings.ReplaceAll(out, "│", "")), " "); err == nil || !strings.Contains(said, `b.json says that the token "acme-b" keeps 2 bytes of a key's id, and the key of authority.root has one of 16. Name another token for the backup.`) {
		t.Errorf("%v\n%s", err, out)
	}
}
