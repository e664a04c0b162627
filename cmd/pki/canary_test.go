package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The passwords of tests' ceremonies. Nothing may show them.
const (
	rootPassword   = "canary-root-Vq7#correct"
	onlinePassword = "canary-online-Zk2%battery"
	adminPassword  = "canary-admin-Hm9&staple"
)

// contents is the hash of every file of a folder, by name.
func contents(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := fs.WalkDir(os.DirFS(dir), ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(filepath.Join(dir, p))
		fmt.Fprintf(&b, "%x %s\n", sha256.Sum256(text), p)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// disguises are the ways in which a password could slip into a file.
func disguises(password string) map[string]string {
	sum := sha256.Sum256([]byte(password))
	return map[string]string{
		"as it is":  password,
		"in hex":    hex.EncodeToString([]byte(password)),
		"in base64": strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(password)), "="),
		"hashed":    hex.EncodeToString(sum[:]),
	}
}

// findCanaries looks for the passwords in every file of an estate and in what
// was said, in any disguise.
func findCanaries(t *testing.T, dir, said string) {
	t.Helper()
	where := map[string]string{"what was said": said}
	err := fs.WalkDir(os.DirFS(dir), ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(filepath.Join(dir, p))
		where[p] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	// Keys, certificates and ledger must be among what was searched.
	for _, name := range []string{"keys/root/root.key", "certs/root.crt", ledgerName, "plan.json", "rendered/us/config/ca.json"} {
		if where[name] == "" {
			t.Errorf("%s was not there to be searched", name)
		}
	}
	for _, password := range []string{rootPassword, onlinePassword, adminPassword} {
		for how, text := range disguises(password) {
			for name, have := range where {
				if strings.Contains(have, text) {
					t.Errorf("a password stands %s in %s", how, name)
				}
			}
		}
	}
}

// TestPasswordsFromFilesStayThere runs the main job with known passwords in
// secrets/, with and without --json, and one refusal, and searches everything.
func TestPasswordsFromFilesStayThere(t *testing.T) {
	t.Parallel()
	dir := estate(t, "two-tier", false)
	for name, password := range map[string]string{"root": rootPassword, "online": onlinePassword, "admin": adminPassword} {
		if err := os.WriteFile(filepath.Join(dir, "secrets", name+".txt"), []byte(password+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var said strings.Builder
	said.WriteString(must(t, nil, "-C", dir, "plan"))
	said.WriteString(must(t, nil, "-C", dir, "apply", planOf(dir), "--yes"))
	for _, args := range [][]string{{"verify", "--json"}, {"plan", "--json"}, {"apply", "--json"}, {"validate", "--json"}, {"render"}} {
		said.WriteString(must(t, nil, append([]string{"-C", dir}, args...)...))
	}
	later := []string{envNow + "=2027-12-10T09:00:00Z"}
	second := filepath.Join(dir, "second.json")
	said.WriteString(must(t, later, "-C", dir, "plan", "--out", second))
	if err := os.WriteFile(filepath.Join(dir, "secrets", "root.txt"), []byte(onlinePassword), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := pki(later, "-C", dir, "apply", second, "--yes")
	if err == nil {
		t.Fatal("a wrong password was taken")
	}
	said.WriteString(out)
	if err := os.RemoveAll(filepath.Join(dir, "secrets")); err != nil {
		t.Fatal(err)
	}
	findCanaries(t, dir, said.String())
}
