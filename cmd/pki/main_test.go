package main

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// Tests that run the program as a child process steer it through these
// variables. Only TestMain reads them; the program itself knows none.
const (
	envNow     = "PKI_TEST_NOW"     // its clock stands at this time
	envSeed    = "PKI_TEST_SEED"    // plans draw their seed from this text
	envKill    = "PKI_TEST_KILL"    // SIGKILL at effect number N, from 1
	envEffects = "PKI_TEST_EFFECTS" // the name of each effect goes to this file
	envNetwork = "PKI_TEST_NETWORK" // the network interface that is up, none when empty
	envPause   = "PKI_TEST_PAUSE"   // wait at the first effect while this file is there
	envPatient = "PKI_TEST_PATIENT" // how long a call of a module may take
)

// today is when scripts take place, unless they say otherwise.
const today = "2027-01-04T09:00:00Z"

func TestMain(m *testing.M) {
	testscript.Main(suite{m}, map[string]func(){"pki": child})
}

// suite is the tests, and what is left to tidy up after them.
type suite struct{ *testing.M }

func (s suite) Run() int {
	defer func() { os.RemoveAll(estates.dir) }()
	return s.M.Run()
}

// child is the program as tests run it: the real one, on a clock of the
// test's choice, and without the terminal that the tests were started from.
func child() {
	// A child on a terminal of its own already leads a session.
	_, _ = syscall.Setsid()
	if text := os.Getenv(envNow); text != "" {
		now, err := time.Parse(time.RFC3339, text)
		if err != nil {
			panic(err)
		}
		testOnlyNow = func() time.Time { return now }
	}
	if text := os.Getenv(envSeed); text != "" {
		testOnlySeed = func(b []byte) (int, error) {
			sum := sha256.Sum256([]byte(text))
			return copy(b, sum[:]), nil
		}
	}
	testOnlyInterfaces = func() ([]string, error) { return strings.Fields(os.Getenv(envNetwork)), nil }
	if text := os.Getenv(envPatient); text != "" {
		patience, err := time.ParseDuration(text)
		if err != nil {
			panic(err)
		}
		testOnlyDeadline = patience
	}
	testOnlyEffect = watchEffects()
	os.Exit(run())
}

// watchEffects gives a function that counts effects and ends the process at
// the one that the test has named.
func watchEffects() func(string) {
	last, _ := strconv.Atoi(os.Getenv(envKill))
	record, pause := os.Getenv(envEffects), os.Getenv(envPause)
	count := 0
	return func(name string) {
		count++
		if record != "" {
			f, err := os.OpenFile(record, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
			if err != nil {
				panic(err)
			}
			fmt.Fprintln(f, name)
			f.Close()
		}
		// A test that fails does not take the file away.
		for end := time.Now().Add(20 * time.Second); pause != "" && count == 1 && time.Now().Before(end); {
			if _, err := os.Lstat(pause); err != nil {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		if count == last {
			if err := syscall.Kill(os.Getpid(), syscall.SIGKILL); err != nil {
				panic(err)
			}
			select {} // the signal comes when it comes; nothing happens after it
		}
	}
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Condition:           condition,
		Cmds:                commands(),
		Setup: func(e *testscript.Env) error {
			e.Setenv(envNow, today)
			e.Setenv("NO_COLOR", "1")
			return nil
		},
	})
}

// update rewrites the expected output in scripts with what is now there:
// go test ./cmd/pki -run TestScripts -update
var update = flag.Bool("update", false, "write what commands now say into the scripts")

// condition tells scripts what this machine can do, beside what testscript
// knows: root, and namespaces for people who are not.
func condition(name string) (bool, error) {
	switch name {
	case "softhsm":
		_, err := os.Stat(softHSMModule)
		return err == nil, nil
	case "root":
		return os.Geteuid() == 0, nil
	case "namespaces":
		return exec.Command("unshare", "--user", "--map-root-user", "--mount", "--net", "true").Run() == nil, nil
	}
	return false, fmt.Errorf("unknown condition %q", name)
}
