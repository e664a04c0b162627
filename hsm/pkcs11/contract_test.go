//go:build cgo

package pkcs11

import (
	"bufio"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"pki.internal/hsm"
	"pki.internal/hsm/hsmtest"
	"pki.internal/spec"
)

// contract is a token as the suite of all key stores takes it.
func contract(o Options, lacks []spec.Algorithm, algorithms ...spec.Algorithm) hsmtest.Contract {
	run := rand.Text()[:8] // a token that is used again holds the keys of earlier runs
	return hsmtest.Contract{
		Open: func(t testing.TB) hsm.Store {
			s, err := Open(t.Context(), o, []byte(userPIN))
			if err != nil {
				t.Fatal(err)
			}
			return s
		},
		Spec: func(a spec.Algorithm, label string) hsm.KeySpec {
			id := sha256.Sum256([]byte(run + label))
			return hsm.KeySpec{ID: id[:16], Label: label + "-" + run, Algorithm: a}
		},
		Algorithms: algorithms, Lacks: lacks,
	}
}

// TestContract runs the suite of all key stores on every module that is here:
// the two tokens of one SoftHSM at once, NSS, and a token behind p11-kit.
func TestContract(t *testing.T) {
	t.Run("SoftHSM", func(t *testing.T) {
		first := newToken(t, "first")
		second := addToken(t, Options{Module: first.Module, Env: first.Env}, "second")
		all := []spec.Algorithm{spec.ECDSAP256, spec.ECDSAP384, spec.ECDSAP521, spec.Ed25519}
		if !testing.Short() {
			all = append(all, spec.RSA3072)
		}
		c := contract(first, nil, all...)
		c.Second, c.Elsewhere, c.Seals = contract(second, nil).Open, func(k hsm.KeySpec) hsm.KeySpec { k.Leaves = false; return k }, true
		hsmtest.Run(t, c)
		hsmtest.Run(t, contract(second, nil, spec.ECDSAP384))
	})
	t.Run("NSS", func(t *testing.T) {
		hsmtest.Run(t, contract(newNSS(t), []spec.Algorithm{spec.Ed25519}, spec.ECDSAP256, spec.ECDSAP384, spec.ECDSAP521))
	})
	t.Run("p11-kit", func(t *testing.T) {
		remote, _ := served(t, newToken(t, "remote"), "remote")
		hsmtest.Run(t, contract(remote, []spec.Algorithm{spec.Ed25519}, spec.ECDSAP256, spec.ECDSAP384)) // it hides Ed25519
	})
}

// served puts a token behind p11-kit, in a process that the test may end.
func served(t *testing.T, o Options, label string) (remote Options, server *exec.Cmd) {
	t.Helper()
	program := installed(t, "p11-kit", "/usr/bin/p11-kit")
	client := installed(t, "the p11-kit client module", "/usr/lib/x86_64-linux-gnu/pkcs11/p11-kit-client.so", "/usr/lib64/pkcs11/p11-kit-client.so")
	socket := filepath.Join(t.TempDir(), "p11")
	server = exec.Command(program, "server", "--provider", o.Module, "-n", socket, "-f", "pkcs11:token="+label)
	server.Env = append(os.Environ(), o.Env...)
	server.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-server.Process.Pid, syscall.SIGKILL) // its children with it
		_ = server.Wait()                                      // it was killed
	})
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatalf("p11-kit server says nothing: %v", err)
	}
	remote = o
	remote.Module, remote.Env = client, []string{"P11_KIT_SERVER_ADDRESS=unix:path=" + socket}
	remote.Deadline = 20 * time.Second
	return remote, server
}

// TestContractElsewhere runs the suite on a module that test/hsm-all.sh has
// made ready: one that needs root, or a daemon for the whole machine.
func TestContractElsewhere(t *testing.T) {
	module := os.Getenv("PKI_TEST_MODULE")
	if module == "" {
		t.Skip("PKI_TEST_MODULE names no module; make test-hsm-all does")
	}
	pin := os.Getenv("PKI_TEST_PIN")
	o := Options{Module: module, Token: Selector{Label: os.Getenv("PKI_TEST_TOKEN")}, Env: strings.Fields(os.Getenv("PKI_TEST_ENV"))}
	if officer := os.Getenv("PKI_TEST_SO_PIN"); officer != "" {
		o.Token = Selector{}
		if _, err := Init(t.Context(), o, os.Getenv("PKI_TEST_TOKEN"), []byte(officer), []byte(pin)); err != nil {
			t.Fatal(err)
		}
		o.Token.Label = os.Getenv("PKI_TEST_TOKEN")
	}
	algorithms := func(variable string) (all []spec.Algorithm) {
		for _, name := range strings.Fields(os.Getenv(variable)) {
			all = append(all, spec.Algorithm(name))
		}
		return all
	}
	c := contract(o, algorithms("PKI_TEST_LACKS"), algorithms("PKI_TEST_ALGORITHMS")...)
	c.Open = func(t testing.TB) hsm.Store {
		s, err := Open(t.Context(), o, []byte(pin))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	hsmtest.Run(t, c)
	t.Run("report", func(t *testing.T) {
		reports(t, o, pin, algorithms("PKI_TEST_ALGORITHMS"), algorithms("PKI_TEST_LACKS"))
	})
}

// reports wants a self-test to see what the suite saw, and to leave nothing that
// it does not name. A wrong PIN, which is the last thing tried, is answered in
// words.
func reports(t *testing.T, o Options, pin string, can, cannot []spec.Algorithm) {
	found, err := Test(t.Context(), o, []byte(pin))
	if err != nil {
		t.Fatal(err)
	}
	for works, all := range map[bool][]spec.Algorithm{true: can, false: cannot} {
		for _, a := range all {
			if why, does := found.Can(a); does != works {
				t.Errorf("the report says of %s: %t, %s", a, does, why)
			}
		}
	}
	left, err := Inspect(t.Context(), o, true, []byte(pin))
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range left.Objects {
		if one.Label == testLabel && !strings.Contains(strings.Join(found.Observations, "\n"), one.ID) {
			t.Errorf("the test left %+v, and does not say so", one)
		}
	}
	if _, err := Open(t.Context(), o, []byte("9999")); !errors.Is(err, hsm.ErrWrongPIN) || !strings.Contains(err.Error(), "it was tried once and will not be tried again by itself") {
		t.Errorf("a wrong PIN: %v", err)
	}
}
