//go:build cgo

package pkcs11

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"pki.internal/hsm"
	"pki.internal/spec"
)

// TestMain is also the helper process of the tests.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == AgentWord {
		os.Exit(RunAgent())
	}
	if question := os.Getenv("ML_DSA_ORACLE"); question != "" {
		os.Exit(consult(question))
	}
	code := m.Run()
	if built.dir != "" {
		os.RemoveAll(built.dir)
	}
	os.Exit(code)
}

const (
	userPIN    = "user-pin-1"
	officerPIN = "officer-1"
)

// installed gives the first of some paths that is there, or skips the test
// and says why.
func installed(t testing.TB, what string, paths ...string) string {
	t.Helper()
	for _, p := range paths {
		if _, err := os.Stat(p); err == nil {
			return p
		}
	}
	t.Skipf("%s is not installed (%s); make test installs it", what, paths[0])
	return ""
}

func softHSM(t testing.TB) string {
	t.Helper()
	return installed(t, "SoftHSM", "/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so")
}

// softEnv is a SoftHSM of a test's own.
func softEnv(t testing.TB) []string {
	t.Helper()
	dir := t.TempDir()
	tokens := filepath.Join(dir, "tokens")
	if err := os.Mkdir(tokens, 0o700); err != nil {
		t.Fatal(err)
	}
	conf := filepath.Join(dir, "softhsm2.conf")
	text := fmt.Sprintf("directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n", tokens)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"SOFTHSM2_CONF=" + conf}
}

// newToken makes a token in a SoftHSM of the test's own.
func newToken(t testing.TB, label string) Options {
	t.Helper()
	o := Options{Module: softHSM(t), Env: softEnv(t)}
	return addToken(t, o, label)
}

func addToken(t testing.TB, o Options, label string) Options {
	t.Helper()
	o.Token = Selector{}
	token, err := Init(t.Context(), o, label, []byte(officerPIN), []byte(userPIN))
	if err != nil {
		t.Fatal(err)
	}
	o.Token = Selector{Label: token.Label, Serial: token.Serial}
	return o
}

func openToken(t testing.TB, o Options) *Store {
	t.Helper()
	s, err := Open(t.Context(), o, []byte(userPIN))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func keySpec(a spec.Algorithm, label string) hsm.KeySpec {
	id := make([]byte, 16)
	rand.Read(id)
	return hsm.KeySpec{ID: id, Label: label, Algorithm: a}
}

func spki(t testing.TB, k hsm.Key) []byte {
	t.Helper()
	der, err := spkiOf(k.Public())
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// built is the fault module, compiled once.
var built struct {
	sync.Once
	dir, file string
	err       error
}

// faulty puts the fault module in front of another, with orders.
func faulty(t testing.TB, o Options, orders ...string) Options {
	t.Helper()
	built.Do(func() {
		if _, built.err = exec.LookPath("gcc"); built.err != nil {
			return
		}
		if built.dir, built.err = os.MkdirTemp("", "pki-fault"); built.err != nil {
			return
		}
		built.file = filepath.Join(built.dir, "fault.so")
		out, err := exec.Command("gcc", "-shared", "-fPIC", "-O1", "-o", built.file, "testdata/fault.c", "-ldl").CombinedOutput()
		if err != nil {
			built.err = fmt.Errorf("%w: %s", err, out)
		}
	})
	if built.err != nil {
		if _, err := exec.LookPath("gcc"); err != nil {
			t.Skip("gcc is not installed, so no faults can be made")
		}
		t.Fatal(built.err)
	}
	code, err := os.ReadFile(built.file)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "fault.so")
	if err := os.WriteFile(file, code, 0o700); err != nil {
		t.Fatal(err)
	}
	text := "module " + o.Module + "\n" + strings.Join(orders, "\n") + "\n"
	if err := os.WriteFile(file+".conf", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	o.Module = file
	return o
}

// count tells how many objects a token has with a class and an id.
func count(t testing.TB, o Options, class uint, id []byte) int {
	t.Helper()
	c, err := Inspect(t.Context(), o, true, []byte(userPIN))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, one := range c.Objects {
		if one.Class == className(class) && one.ID == fmt.Sprintf("%x", id) {
			n++
		}
	}
	return n
}

// plant makes a key behind the store's back.
func plant(t testing.TB, s *Store, a spec.Algorithm, id []byte, label string) []uint {
	t.Helper()
	p, _ := keyPlanOf(a)
	public, private := p.templates(id, label, true, false)
	r, err := s.client.call(t.Context(), request{Op: "generate", Mechanism: p.generate, Public: public, Private: private}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r.Handles
}

func remove(t testing.TB, s *Store, handle uint) {
	t.Helper()
	if _, err := s.client.call(t.Context(), request{Op: "destroy", Handle: handle}, nil); err != nil {
		t.Fatal(err)
	}
}

func same(a, b []byte) bool { return len(a) > 0 && bytes.Equal(a, b) }
