package render_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestDeployCheckPages runs the script against a step-ca of two pages of
// provisioners, which a stand-in for curl plays. The script must find what is on
// the second page, and miss it when it is not there.
func TestDeployCheckPages(t *testing.T) {
	dir := t.TempDir()
	text, err := os.ReadFile(filepath.Join("testdata", "tree", "systemd", "deploy-check.sh"))
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(text), "for one in ")
	list, _, _ = strings.Cut(list, "; do")
	provisioners := strings.Fields(strings.ReplaceAll(list, "'", ""))
	if len(provisioners) < 2 {
		t.Fatalf("the tree has %d provisioners, and two pages need two", len(provisioners))
	}
	objects := func(of []string) string { return "[{" + strings.Join(of, "},{") + "}]" }
	first := fmt.Sprintf(`{"provisioners":%s,"nextCursor":"0002"}`, objects(provisioners[:1]))
	stub := func(second []string) string {
		return fmt.Sprintf(`#!/bin/sh
for last; do :; done
case $last in
*/intermediates.pem) cat %q ;;
*cursor=0002) printf '%%s' '{"provisioners":%s,"nextCursor":""}' ;;
*/provisioners*) printf '%%s' '%s' ;;
esac
`, filepath.Join(dir, "certs", "intermediate_ca.crt"), objects(second), first)
	}
	write := func(name, text string) {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write("systemd/deploy-check.sh", string(text))
	write("certs/intermediate_ca.crt", "the intermediate\n")
	run := func() (string, error) {
		cmd := exec.Command("sh", filepath.Join(dir, "systemd", "deploy-check.sh"), "https://ca.acme.internal")
		cmd.Env = append(os.Environ(), "PATH="+filepath.Join(dir, "bin")+":"+os.Getenv("PATH"))
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	write("bin/curl", stub(provisioners[1:]))
	if out, err := run(); err != nil {
		t.Errorf("both pages: %v: %s", err, out)
	}
	write("bin/curl", stub(append([]string{`"type":"JWK","name":"stranger"`}, provisioners[1:]...)))
	if out, err := run(); err == nil || !strings.Contains(out, "provisioners, and this folder has") {
		t.Errorf("a stranger on the second page: %v: %s", err, out)
	}
	missing := stub([]string{`"type":"JWK","name":"stranger"`})
	write("bin/curl", missing)
	if out, err := run(); err == nil || !strings.Contains(out, "does not have the provisioner") {
		t.Errorf("without the second page's: %v: %s", err, out)
	}
}
