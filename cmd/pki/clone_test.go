package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// cloneScene is an estate whose backup a vendor's tool makes: token b is in the
// security domain of token a, as a second card of the same vendor would be. Each is
// behind a module of its own with a SoftHSM of its own.
func cloneScene(t *testing.T) (s *faultScene, dir string) {
	t.Helper()
	if _, err := os.Stat(softHSMModule); err != nil {
		t.Skipf("SoftHSM is not installed (%s); make test installs it", softHSMModule)
	}
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Skip("gcc is not installed, so no two modules can be told apart")
	}
	s = &faultScene{t: t, base: t.TempDir()}
	dir = filepath.Join(s.base, "estate")
	text := strings.ReplaceAll(strings.ReplaceAll(backedUp, "BASE", s.base), `token  = "acme-b"`, `token  = "acme-a"`)
	text = strings.Replace(text, "backup    = [key_store.b]", "backup    = [key_store.b]\n    backup_policy = \"vendor-clone\"", 1)
	if err := errors.Join(os.Mkdir(dir, 0o700), os.WriteFile(dir+"/estate.pki.hcl", []byte(text), 0o600),
		os.WriteFile(dir+"/pin.txt", []byte("user-pin-1"), 0o600), os.WriteFile(dir+"/so.txt", []byte("officer-pin-1"), 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b"} {
		if out, err := exec.Command("gcc", "-shared", "-fPIC", "-O1", "-o", s.base+"/"+name+".so", "../../hsm/pkcs11/testdata/fault.c", "-ldl").CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		conf, err := softHSMConf(filepath.Join(s.base, "tokens-"+name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(s.base+"/"+name+".so.conf", []byte("module "+softHSMModule+"\nenv SOFTHSM2_CONF "+conf+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	must(t, nil, "token", "init", "--module", s.base+"/a.so", "--label", "acme-a", "--pin-file", dir+"/pin.txt", "--so-pin-file", dir+"/so.txt")
	clone(t, s)
	return s, dir
}

// clone is the vendor's tool: it puts what token a holds onto token b.
func clone(t *testing.T, s *faultScene) {
	t.Helper()
	if out, err := exec.Command("cp", "-a", s.base+"/tokens-a/.", s.base+"/tokens-b").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// TestVendorCloneOnTokens holds a ceremony whose key the vendor's tool copies.
// It stops until the copy is there, takes no other key for it, and has both
// tokens sign one challenge. The key is never extractable, and the copy goes on
// when the first token is lost.
func TestVendorCloneOnTokens(t *testing.T) {
	s, dir := cloneScene(t)
	if out := must(t, nil, "-C", dir, "plan", "--out", planOf(dir)); !strings.Contains(out, "vendor") {
		t.Errorf("the plan does not tell of the vendor's tool\n%s", out)
	}
	apply := []string{"-C", dir, "apply", planOf(dir), "--yes"}
	stops := func(args []string, says string) {
		t.Helper()
		out, err := pki(nil, args...)
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != exitToken || !strings.Contains(strings.Join(strings.Fields(out), " "), says) {
			t.Fatalf("%v, want exit code %d and %q\n%s", err, exitToken, says, out)
		}
	}
	stops(apply, "clone it from key_store.a with the vendor's tool, under the id")
	apply = append(apply, "--resume")
	stops(apply, "key_store.b does not have the key yet")

	// Somebody made a key of the right names on token b instead.
	tool, err := exec.LookPath("pkcs11-tool")
	if err == nil {
		shown := must(t, nil, "-C", dir, "token", "inspect", "a", "--login")
		id := strings.Fields(shown[strings.Index(shown, "public key"):])[3]
		own := func(args ...string) {
			t.Helper()
			args = append([]string{"--module", s.base + "/b.so", "--token-label", "acme-a", "--login", "--pin", "user-pin-1"}, args...)
			if out, err := exec.Command(tool, args...).CombinedOutput(); err != nil {
				t.Fatalf("pkcs11-tool %v: %v\n%s", args, err, out)
			}
		}
		own("--keypairgen", "--key-type", "EC:secp384r1", "--id", id, "--label", "root", "--usage-sign")
		stops(apply, "has another public key than the recorded one")
		own("--delete-object", "--type", "privkey", "--id", id)
		own("--delete-object", "--type", "pubkey", "--id", id)
	} else {
		t.Log("pkcs11-tool is not installed, so no key of another was put in the clone's place")
	}

	clone(t, s)
	if out := strings.Join(strings.Fields(must(t, nil, apply...)), " "); !strings.Contains(out, "it and the key signed one challenge, and both signatures verify") {
		t.Errorf("the copy was not proven\n%s", out)
	}
	if out := must(t, nil, "-C", dir, "verify"); !strings.Contains(out, "backup in key_store.b") {
		t.Errorf("verify\n%s", out)
	}
	for _, store := range []string{"a", "b"} {
		out := must(t, nil, "-C", dir, "token", "inspect", store, "--login")
		if strings.Count(out, "\nprivate key") != 1 || strings.Count(out, "\npublic key") != 1 || !strings.Contains(out, "not extractable, never was") {
			t.Errorf("token %s\n%s", store, out)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, ledgerName))
	if err != nil || strings.Count(string(text), `"kind":"key_made"`) != 1 || strings.Contains(string(text), `"kind":"key_sealed"`) {
		t.Errorf("the ledger should tell of one key that needed no sealing (%v)", err)
	}

	// The first token is lost.
	estate, err := os.ReadFile(dir + "/estate.pki.hcl")
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.NewReplacer("store     = key_store.a", "store     = key_store.b", "backup    = [key_store.b]", "", `backup_policy = "vendor-clone"`, "").Replace(string(estate))
	if err := errors.Join(os.RemoveAll(s.base+"/tokens-a"), os.WriteFile(dir+"/estate.pki.hcl", []byte(changed), 0o600)); err != nil {
		t.Fatal(err)
	}
	later := []string{"PKI_TEST_NOW=2029-01-10T09:00:00Z"}
	must(t, later, "-C", dir, "plan", "--out", dir+"/second.json")
	if out := must(t, later, "-C", dir, "apply", dir+"/second.json", "--yes"); !strings.Contains(out, "CRL number 2") && !strings.Contains(out, "CRL 2") {
		t.Errorf("the copy signed no list\n%s", out)
	}
}
