package render_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"pki.internal/spec"
)

// TestTrustKit has openssl and ssh-keygen read what people install and compare.
func TestTrustKit(t *testing.T) {
	s := twoTier()
	s.withSSH()
	second := *s.estate.Authorities[0]
	second.Origin = named("authority", "root_g2")
	second.Subject = spec.NewName(map[string][]string{"common_name": {"Second\u202eRoot\u2028root root"}}, nil)
	s.estate.Authorities = append(s.estate.Authorities, &second)
	s.ca.AdditionalRoots = []*spec.Authority{&second}
	tree := s.mustTree(t)
	folder := t.TempDir()
	for name, text := range tree {
		if path, found := strings.CutPrefix(name, "trust/"); found {
			must(t, os.WriteFile(filepath.Join(folder, path), []byte(text), 0o644))
		}
	}
	must(t, os.WriteFile(filepath.Join(folder, "host.pub"), []byte(tree["ssh/host_ca.pub"]), 0o644))
	run := func(name string, arguments ...string) string {
		t.Helper()
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("%s is not installed, so it has not read what people install: run make test", name)
		}
		c := exec.Command(name, arguments...)
		c.Dir = folder
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %v: %v\n%s", name, arguments, err, out)
		}
		return string(out)
	}
	sheet := tree["trust/FINGERPRINTS.txt"]
	for _, file := range []string{"root.crt", "root_g2.crt"} {
		_, print, _ := strings.Cut(strings.TrimSpace(run("openssl", "x509", "-in", file, "-noout", "-fingerprint", "-sha256")), "=")
		if !strings.Contains(sheet, print) || !strings.Contains(tree["trust/TRUST.txt"], print) {
			t.Errorf("%s is %s, and the sheets do not say so\n%s", file, print, sheet)
		}
	}
	for file, want := range map[string]int{"roots.p7b": 2, "chain.p7b": 2} {
		if out := run("openssl", "pkcs7", "-inform", "DER", "-in", file, "-print_certs"); strings.Count(out, "BEGIN CERTIFICATE") != want {
			t.Errorf("%s holds:\n%s", file, out)
		}
	}
	if out := run("openssl", "x509", "-inform", "DER", "-in", "root.cer"); !bytes.Equal([]byte(out), []byte(tree["trust/root.crt"])) {
		t.Error("root.cer is not root.crt")
	}
	if tree["trust/roots.pem"] != tree["trust/root.crt"]+tree["trust/root_g2.crt"] {
		t.Error("roots.pem is not both roots")
	}
	if print := strings.Fields(run("ssh-keygen", "-l", "-f", "host.pub"))[1]; !strings.Contains(sheet, print) {
		t.Errorf("the sheet does not have the SSH key %s\n%s", print, sheet)
	}
	if strings.ContainsAny(sheet, "\u202e\u2028") {
		t.Error("a name can make another line of the sheet, or turn it around")
	}
}
