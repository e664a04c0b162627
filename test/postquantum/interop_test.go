// Package postquantum_test holds what pki makes of ML-DSA against
// implementations that share no code with it: noble-post-quantum in JavaScript,
// and openssl where it is 3.5 or later.
package postquantum_test

import (
	"bytes"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// bench is the built program and one estate after its ceremony.
type bench struct{ pki, estate string }

// folder is removed at the end; empty while nobody has asked for the bench.
var folder string

var shared = sync.OnceValues(func() (bench, error) {
	dir, err := os.MkdirTemp("", "pki-postquantum")
	if err != nil {
		return bench{}, err
	}
	folder = dir
	b := bench{filepath.Join(dir, "pki"), filepath.Join(dir, "estate")}
	for _, c := range [][]string{
		{"go", "build", "-trimpath", "-o", b.pki, "pki.internal/cmd/pki"},
		{b.pki, "init", b.estate, "--example", "post-quantum"},
		{b.pki, "-C", b.estate, "plan", "--out", filepath.Join(dir, "plan.json")},
		{b.pki, "-C", b.estate, "apply", filepath.Join(dir, "plan.json"), "--yes"},
	} {
		if out, err := exec.Command(c[0], c[1:]...).CombinedOutput(); err != nil {
			return b, &failed{strings.Join(c, " "), out}
		}
	}
	return b, nil
})

type failed struct {
	command string
	out     []byte
}

func (f *failed) Error() string { return f.command + ":\n" + string(f.out) }

func TestMain(m *testing.M) {
	code := m.Run()
	if folder != "" {
		os.RemoveAll(folder)
	}
	os.Exit(code)
}

func start(t *testing.T) bench {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("node is not installed, so noble-post-quantum cannot be asked; run test/setup.sh")
	}
	if _, err := os.Stat("node_modules/@noble/post-quantum"); err != nil {
		t.Skip("noble-post-quantum is not installed; run test/setup.sh")
	}
	b, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (b bench) file(name string) string { return filepath.Join(b.estate, name) }

// run gives the output of a command and whether it succeeded.
func run(t *testing.T, name string, args ...string) (string, bool) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	return string(out), err == nil
}

// noble lets JavaScript do something, and wants it to succeed.
func noble(t *testing.T, args ...string) {
	t.Helper()
	if out, ok := run(t, "node", append([]string{"interop.mjs"}, args...)...); !ok {
		t.Errorf("noble, %s: %s", strings.Join(args, " "), out)
	}
}

// TestNobleVerifiesOurs shows root, issuing authority and both CRLs to noble.
func TestNobleVerifiesOurs(t *testing.T) {
	b := start(t)
	root, issuing := b.file("certs/root_pq.cer"), b.file("certs/issuing_pq.cer")
	noble(t, "verify", root, root, issuing, b.file("crls/root_pq.crl"))
	noble(t, "verify", issuing, b.file("crls/issuing_pq.crl"))
	for _, wrong := range [][]string{{issuing, root}, {root, b.file("crls/issuing_pq.crl")}} {
		if out, ok := run(t, "node", "interop.mjs", "verify", wrong[0], wrong[1]); ok || !strings.Contains(out, "does not verify") {
			t.Errorf("noble takes %v: %s", wrong, out)
		}
	}
}

// TestWeVerifyNobles shows what noble made to pki, whole and with one bit
// turned.
func TestWeVerifyNobles(t *testing.T) {
	b := start(t)
	for _, set := range []string{"44", "65", "87"} {
		dir := t.TempDir()
		noble(t, "make", set, dir)
		root := filepath.Join(dir, "root.cer")
		for object, rule := range map[string]string{
			"root.cer": "e_root_not_self_signed", "issuing.cer": "e_ca_signature_not_by_issuer", "root.crl": "e_crlx_signature_not_by_issuer",
			"issuing.csr": "e_csr_signature_invalid",
		} {
			sound, _ := run(t, b.pki, "lint", "--issuer", root, filepath.Join(dir, object))
			if strings.Contains(sound, rule) {
				t.Errorf("ML-DSA-%s, %s: %s", set, object, sound)
			}
			bad := flip(t, filepath.Join(dir, object))
			broken, ok := run(t, b.pki, "lint", "--issuer", root, bad)
			if ok || !strings.Contains(broken, rule) {
				t.Errorf("ML-DSA-%s, %s with a bit turned: %s", set, object, broken)
			}
		}
		if out, ok := run(t, b.pki, "crl", "verify", "--issuer", root, filepath.Join(dir, "root.crl")); !ok {
			t.Errorf("ML-DSA-%s: crl verify: %s", set, out)
		}
		if out, ok := run(t, b.pki, "crl", "verify", "--issuer", filepath.Join(dir, "issuing.cer"), filepath.Join(dir, "root.crl")); ok {
			t.Errorf("ML-DSA-%s: crl verify under another issuer: %s", set, out)
		}
		if out, _ := run(t, b.pki, "show", filepath.Join(dir, "issuing.csr")); !strings.Contains(out, "ML-DSA-"+set+", proves possession of the key") {
			t.Errorf("ML-DSA-%s: %s", set, out)
		}
	}
}

// flip writes a copy of a file with a bit of its signature turned, 100 octets
// before the end.
func flip(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(data)
	if block != nil {
		data = block.Bytes
	}
	data = bytes.Clone(data)
	data[len(data)-100] ^= 1
	if block != nil {
		data = pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: data})
	}
	bad := filepath.Join(t.TempDir(), filepath.Base(file))
	if err := os.WriteFile(bad, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return bad
}

// TestKeysOfNoble signs CRLs with noble's key in each form, and shows them to
// noble.
func TestKeysOfNoble(t *testing.T) {
	b := start(t)
	dir := t.TempDir()
	noble(t, "make", "65", dir)
	revoked := filepath.Join(dir, "revoked.csv")
	if err := os.WriteFile(revoked, []byte("serial,date,reason\n0a0b0c0d0e0f10111213,2026-02-01T00:00:00Z,superseded\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	sign := func(form string) (string, string, bool) {
		out := filepath.Join(dir, form+".crl")
		said, ok := run(t, b.pki, "crl", "sign", "--issuer", filepath.Join(dir, "root.cer"), "--key", filepath.Join(dir, "root."+form+".key"),
			"--revoked", revoked, "--number", "8", "--only", "ca", "--out", out)
		return out, said, ok
	}
	for _, form := range []string{"seed", "expanded", "both"} {
		out, said, ok := sign(form)
		if !ok {
			t.Errorf("%s: %s", form, said)
			continue
		}
		noble(t, "verify", filepath.Join(dir, "root.cer"), out)
	}
	if _, said, ok := sign("torn"); ok || !strings.Contains(said, "is not that of the seed") {
		t.Errorf("a key whose halves differ: %s", said)
	}
}

// TestRequestOfNoble puts a request of noble below our root, and shows the
// certificate to noble.
func TestRequestOfNoble(t *testing.T) {
	b := start(t)
	dir := t.TempDir()
	noble(t, "make", "87", dir)
	estate := filepath.Join(dir, "estate")
	if err := os.CopyFS(estate, os.DirFS(b.estate)); err != nil {
		t.Fatal(err)
	}
	request, err := os.ReadFile(filepath.Join(dir, "issuing.csr"))
	if err != nil {
		t.Fatal(err)
	}
	const block = `
authority "noble" {
  issuer = authority.root_pq
  subject { common_name = "Noble Issuing CA Q1" }

  csr      = "noble.csr"
  validity = "3y"
}
`
	for name, text := range map[string][]byte{"noble.csr": request, "noble.pki.hcl": []byte(block)} {
		if err := os.WriteFile(filepath.Join(estate, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"plan", "--out", filepath.Join(dir, "plan.json")}, {"apply", filepath.Join(dir, "plan.json"), "--yes"}, {"verify"}} {
		if out, ok := run(t, b.pki, append([]string{"-C", estate}, args...)...); !ok {
			t.Fatalf("%s: %s", args[0], out)
		}
	}
	noble(t, "verify", filepath.Join(estate, "certs/root_pq.cer"), filepath.Join(estate, "certs/noble.cer"))
}

// TestOpenSSL asks openssl for the same, and for our private keys.
func TestOpenSSL(t *testing.T) {
	if out, ok := run(t, "openssl", "list", "-signature-algorithms"); !ok || !strings.Contains(out, "ML-DSA-65") {
		t.Skip("this openssl is older than 3.5 and knows no ML-DSA")
	}
	b := start(t)
	if out, ok := run(t, "openssl", "verify", "-x509_strict", "-crl_check", "-CAfile", b.file("certs/root_pq.crt"), "-CRLfile", b.file("crls/root_pq.crl.pem"), b.file("certs/issuing_pq.crt")); !ok {
		t.Error(out)
	}
	if out, ok := run(t, "openssl", "pkey", "-in", b.file("keys/roots/root_pq.key"), "-passin", "file:"+b.file("secrets/roots.txt"), "-noout", "-text"); !ok {
		t.Error(out)
	}
}
