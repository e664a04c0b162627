package stepca_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

const softHSM = "/usr/lib/softhsm/libsofthsm2.so"

// TestKeyOnAToken has a step-ca issue, renew and revoke with a key that a
// ceremony made on a token; then, on the token of the backup, another one.
func TestKeyOnAToken(t *testing.T) {
	program, err := filepath.Abs(filepath.Join("..", "..", ".tools", "bin-cgo", "step-ca"))
	if err == nil {
		_, err = os.Stat(program)
	}
	if err != nil {
		t.Skip("a step-ca that was built with cgo is not installed, so no key on a token was tested: run make test")
	}
	if _, err := os.Stat(softHSM); err != nil {
		t.Skipf("SoftHSM is not installed (%s), so no key on a token was tested: run make test", softHSM)
	}
	for _, token := range []string{"online", "spare"} {
		t.Run(token, func(t *testing.T) {
			folder := t.TempDir()
			conf := filepath.Join(folder, "softhsm2.conf")
			text := fmt.Sprintf("directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n", folder)
			if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			t.Setenv("SOFTHSM2_CONF", conf)
			b := own(t, &bench{
				hcl: "token.pki.hcl.tmpl", passwords: []string{"officer"}, data: map[string]any{"Module": softHSM, "Token": token},
				deliver: map[string]string{"keys/online/issuing.key": "", "secrets/online.txt": "secrets/pin"},
				before: func(b *bench, home string) error {
					b.tools["step-ca"] = program
					return trim(filepath.Join(home, "secrets", "pin"))
				},
			})
			first := b.jwkLeaf(t)
			b.must(t, "step", b.online("ca", "renew", first.crt, first.key, "--force")...)
			second := readLeaf(t, first.crt, first.key)
			b.check(t, second, "leaf.example.internal")
			if first.SerialNumber.Cmp(second.SerialNumber) == 0 {
				t.Errorf("serial %x was not renewed", first.SerialNumber)
			}
			b.must(t, "step", b.online("ca", "revoke", "--cert", second.crt, "--key", second.key)...)
			if n := len(b.crl(t).RevokedCertificateEntries); n != 1 {
				t.Errorf("step-ca's CRL, which the token signs, has %d entries, want 1", n)
			}
		})
	}
}

// trim takes the end of the line off a PIN, which step-ca would send along.
func trim(name string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	if err := os.Chmod(name, 0o600); err != nil {
		return err
	}
	return os.WriteFile(name, bytes.TrimSpace(text), 0o600)
}
