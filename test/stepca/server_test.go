package stepca_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// server is one step-ca, started as the rendered unit starts it.
type server struct {
	tools   map[string]string
	home    string // its STEPPATH
	ports   ports
	process *exec.Cmd
	ended   chan struct{} // closed when the process has ended
}

func (s *server) logPath() string { return filepath.Join(s.home, "step-ca.log") }

func (s *server) log() string {
	text, _ := os.ReadFile(s.logPath())
	return string(text)
}

// tail is what a failed test shows of a program's log: its last 30 lines. Lines
// of requests that went well are left out, and long ones are cut, for they
// would hide why the test failed.
func tail(log string) string {
	var lines []string
	for line := range strings.Lines(log) {
		if strings.Contains(line, `"status":200`) || strings.Contains(line, `"status":201`) {
			continue
		}
		if line = strings.TrimRight(line, "\n"); len(line) > 300 {
			line = line[:300] + " …"
		}
		lines = append(lines, line)
	}
	return strings.Join(lines[max(0, len(lines)-30):], "\n")
}

// show prints the end of a log above the report of the test that failed: the
// testing package keeps what a test said until the test is over, so that its
// assertion comes last.
func show(t *testing.T, what, log string) {
	t.Helper()
	if t.Failed() {
		fmt.Printf("%s, whose test %s failed, said last:\n%s\n", what, t.Name(), tail(log))
	}
}

// patience is how long a test waits for what comes in a moment: a busy machine
// is no defect.
const patience = 90 * time.Second

// command takes the arguments from the unit, so that the test runs what
// systemd runs; %d is where systemd puts the password.
func (s *server) command() ([]string, error) {
	unit, err := os.ReadFile(filepath.Join(s.home, "system", "step-ca.service"))
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(unit)) {
		if words, found := strings.CutPrefix(strings.TrimSpace(line), "ExecStart="); found {
			words = strings.ReplaceAll(words, "%d", filepath.Join(s.home, "secrets"))
			return strings.Fields(words)[1:], nil
		}
	}
	return nil, errors.New("the unit has no ExecStart")
}

// start starts step-ca. The ports that ACME validates at are the test's own.
func (s *server) start() error {
	arguments, err := s.command()
	if err != nil {
		return err
	}
	arguments = append(arguments, "--insecure", "--acme-http-port", strconv.Itoa(s.ports.ACMEHTTP), "--acme-tls-port", strconv.Itoa(s.ports.ACMETLS))
	log, err := os.OpenFile(s.logPath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	s.process = exec.Command(s.tools["step-ca"], arguments...)
	s.process.Dir = s.home
	s.process.Env = []string{"STEPPATH=" + s.home, "HOME=" + s.home, "PATH=" + os.Getenv("PATH")}
	if tokens := os.Getenv("SOFTHSM2_CONF"); tokens != "" { // of a test whose key is on a token
		s.process.Env = append(s.process.Env, "SOFTHSM2_CONF="+tokens)
	}
	s.process.Stdout, s.process.Stderr = log, log
	if err := s.process.Start(); err != nil {
		return err
	}
	s.ended = make(chan struct{})
	go func() {
		s.process.Wait()
		close(s.ended)
	}()
	return nil
}

// await waits until step-ca says that it is well, or has ended.
func (s *server) await(client *http.Client) error {
	return s.until("step-ca is healthy", func() bool {
		response, err := client.Get(s.ports.caURL() + "/health")
		if err != nil {
			return false
		}
		response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
}

// until waits for something that step-ca does a moment later.
func (s *server) until(what string, true func() bool) error {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if true() {
			return nil
		}
		select {
		case <-s.ended:
			return fmt.Errorf("%s\nstep-ca ended before %s", tail(s.log()), what)
		default:
		}
	}
	return fmt.Errorf("%s\n%s went by before %s", tail(s.log()), patience, what)
}

// reload sends the signal of the unit's ExecReload, and waits for the line
// that step-ca logs when it has taken or refused the new configuration.
func (s *server) reload(line string) error {
	before := strings.Count(s.log(), line)
	if err := s.process.Process.Signal(syscall.SIGHUP); err != nil {
		return err
	}
	return s.until(fmt.Sprintf("its log says %q", line), func() bool { return strings.Count(s.log(), line) > before })
}

func (s *server) stop() {
	if s.process == nil || s.process.Process == nil {
		return
	}
	s.process.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.ended:
	case <-time.After(5 * time.Second):
		s.process.Process.Kill()
		<-s.ended
	}
}
