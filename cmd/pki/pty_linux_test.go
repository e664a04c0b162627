package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"pki.internal/plan"
)

// patience is how long a person waits for a prompt before giving up.
const patience = 60 * time.Second

// person sits at a terminal and runs the program.
type person struct {
	t       *testing.T
	tty     *os.File
	command *exec.Cmd
	mu      sync.Mutex
	screen  bytes.Buffer
	read    int           // of the screen, by expect
	changed chan struct{} // after the screen has changed
	over    chan struct{} // after the terminal was closed
	now     time.Time     // that the program's clock shows
}

// sit starts the program on a terminal of its own.
func sit(t *testing.T, env []string, args ...string) *person {
	t.Helper()
	c := exec.Command("pki", args...)
	c.Env = append(append(os.Environ(), envNow+"="+today, "TERM=dumb"), env...)
	tty, err := pty.StartWithSize(c, &pty.Winsize{Rows: 24, Cols: 80})
	if err != nil {
		t.Fatal(err)
	}
	p := &person{t: t, tty: tty, command: c, now: clockOf(t, c.Env), changed: make(chan struct{}, 1), over: make(chan struct{})}
	t.Cleanup(func() {
		// What is still there is a program that the test gave up on.
		_ = c.Process.Kill()
		tty.Close()
	})
	p.keepOutput()
	go p.watch()
	return p
}

// clockOf gives the time that a program with these variables shows.
func clockOf(t *testing.T, env []string) time.Time {
	t.Helper()
	var now time.Time
	for _, v := range env {
		if text, is := strings.CutPrefix(v, envNow+"="); is {
			var err error
			if now, err = time.Parse(time.RFC3339, text); err != nil {
				t.Fatal(err)
			}
		}
	}
	return now
}

// keepOutput sets NOFLSH: else Linux throws away what is on its way to the
// screen after it has sent the signal of a Ctrl-C, and with it the last words
// of a program that answers at once.
func (p *person) keepOutput() {
	p.t.Helper()
	fd := int(p.tty.Fd())
	modes, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err == nil {
		modes.Lflag |= unix.NOFLSH
		err = unix.IoctlSetTermios(fd, unix.TCSETS, modes)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *person) watch() {
	defer close(p.over)
	buf := make([]byte, 4096)
	for {
		n, err := p.tty.Read(buf)
		p.mu.Lock()
		p.screen.Write(buf[:n])
		p.mu.Unlock()
		select {
		case p.changed <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

// shown gives everything that was ever on the screen.
func (p *person) shown() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.screen.String()
}

// expect waits until the text is on the screen, after what was expected
// before.
func (p *person) expect(text string) {
	p.t.Helper()
	timeout := time.After(patience)
	for {
		if at := strings.Index(p.shown()[p.read:], text); at >= 0 {
			p.read += at + len(text)
			return
		}
		select {
		case <-p.changed:
		case <-p.over:
			if strings.Contains(p.shown()[p.read:], text) {
				continue
			}
			p.t.Fatalf("the program ended and did not say %q; it said\n%s", text, p.shown()[p.read:])
		case <-timeout:
			p.t.Fatalf("%q did not come; the screen is\n%s", text, p.shown()[p.read:])
		}
	}
}

func (p *person) types(text string) {
	p.t.Helper()
	if _, err := p.tty.WriteString(text); err != nil {
		p.t.Fatal(err)
	}
}

// echoes reports whether the terminal shows what is typed.
func (p *person) echoes() bool {
	state, err := unix.IoctlGetTermios(int(p.tty.Fd()), unix.TCGETS)
	return err != nil || state.Lflag&unix.ECHO != 0
}

// secret answers a password prompt, as soon as the terminal does not echo.
func (p *person) secret(prompt, text string) {
	p.t.Helper()
	p.expect(prompt)
	deadline := time.Now().Add(patience)
	for p.echoes() {
		if time.Now().After(deadline) {
			p.t.Fatalf("the terminal still echoes at %q", prompt)
		}
		time.Sleep(time.Millisecond)
	}
	p.types(text + "\n")
}

// process gives what everyone on the machine may read of the program: its
// command line and, of the same person, its environment.
func (p *person) process() string {
	p.t.Helper()
	var all strings.Builder
	for _, name := range []string{"cmdline", "environ"} {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", p.command.Process.Pid, name))
		if name == "environ" && errors.Is(err, os.ErrPermission) {
			continue // to anyone but root the kernel shows it no more than the memory: TestNoCore
		}
		if err != nil || len(text) == 0 {
			p.t.Fatalf("reading %s: %v", name, err)
		}
		all.Write(text)
	}
	return all.String()
}

// leaves waits for the program's end and its exit code.
func (p *person) leaves(code int) {
	p.t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- p.command.Wait() }()
	select {
	case err := <-ended:
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			p.t.Fatal(err)
		}
	case <-time.After(patience):
		p.t.Fatalf("it does not end; the screen is\n%s", p.shown()[p.read:])
	}
	<-p.over
	if have := p.command.ProcessState.ExitCode(); have != code {
		p.t.Fatalf("exit code %d, want %d; the screen is\n%s", have, code, p.shown()[p.read:])
	}
}

// production makes an estate whose secrets are asked for, with its plan.
func production(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "estate")
	must(t, nil, "init", dir)
	if err := os.RemoveAll(filepath.Join(dir, "secrets")); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "estate.pki.hcl")
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	changed := bytes.Replace(text, []byte(`environment = "lab"`), []byte(`environment = "production"`), 1)
	changed = regexp.MustCompile(`file = "secrets/\w+\.txt"`).ReplaceAll(changed, []byte("prompt = true"))
	if n := bytes.Count(changed, []byte("prompt = true")); n != 3 {
		t.Fatalf("the example has %d secrets, want 3", n)
	}
	if err := os.WriteFile(name, changed, 0o644); err != nil {
		t.Fatal(err)
	}
	must(t, nil, "-C", dir, "plan", "--out", planOf(dir))
	return dir
}

// nothingMade fails when a ceremony left anything.
func nothingMade(t *testing.T, dir string) {
	t.Helper()
	for _, name := range []string{"keys", "certs", "crls", "rendered", ledgerName} {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			t.Errorf("%s was made", name)
		}
	}
}

// decision is the prompt at the point of no return.
const decision = `Type "carry out this plan" to go on: `

// walk answers what a ceremony asks, as somebody who does everything right,
// until a text is on the screen.
func (p *person) walk(file, until string) {
	p.t.Helper()
	words := regexp.MustCompile(`Type "([^"]+)" to go on: `)
	prompts := map[string]func(){
		"Type done, or press Enter: ":                             func() { p.types("\n") },
		"as YYYY-MM-DD HH:MM: ":                                   func() { p.types(p.now.Format("2006-01-02 15:04") + "\n") },
		"as they are read aloud: ":                                func() { p.types(firstWords(p.t, file) + "\n") },
		"Who is here? Type the names, with spaces between them: ": func() { p.types("ada alan grace\n") },
		"Which two of you read it? ":                              func() { p.types("ada grace\n") },
	}
	for timeout := time.After(patience); ; {
		shown := p.shown()[p.read:]
		first, length, answer := len(shown), 0, func() {}
		take := func(at, n int, do func()) {
			if at >= 0 && at < first {
				first, length, answer = at, n, do
			}
		}
		for prompt, do := range prompts {
			take(strings.Index(shown, prompt), len(prompt), do)
		}
		if m := words.FindStringSubmatchIndex(shown); m != nil {
			take(m[0], m[1]-m[0], func() { p.types(shown[m[2]:m[3]] + "\n") })
		}
		if at := strings.Index(shown, until); at >= 0 && at <= first {
			p.read += at + len(until)
			return
		}
		if length > 0 {
			p.read += first + length
			answer()
			continue
		}
		select {
		case <-p.changed:
		case <-p.over:
			if !strings.Contains(p.shown()[p.read:], until) {
				p.t.Fatalf("the program ended and did not say %q; it said\n%s", until, p.shown()[p.read:])
			}
		case <-timeout:
			p.t.Fatalf("%q did not come; the screen is\n%s", until, p.shown()[p.read:])
		}
	}
}

// firstWords gives what is read aloud from the paper of a plan.
func firstWords(t *testing.T, file string) string {
	t.Helper()
	_, digest, err := readPlan(file)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, line := range plan.WordLines(digest) {
		all = append(all, strings.Fields(line)[0])
	}
	return strings.Join(all, " ")
}

func TestProductionOnATerminal(t *testing.T) {
	t.Parallel()
	dir := production(t)
	screens := &bytes.Buffer{}

	p := sit(t, nil, "-C", dir, "apply", planOf(dir))
	p.expect("Step 1 of ")
	for _, s := range []struct{ name, password string }{
		{"secret.root", rootPassword}, {"secret.online", onlinePassword}, {"secret.admin", adminPassword},
	} {
		p.walk(planOf(dir), "Password for "+s.name+": ")
		p.secret("", s.password)
		p.expect("The same again: ")
		screens.WriteString(p.process())
		p.secret("", s.password)
	}
	p.walk(planOf(dir), "Nothing has been made yet.")
	p.expect("Ceremony: 2 keys made")
	p.walk(planOf(dir), "make the ECDSA P-384 key of authority.root")
	p.walk(planOf(dir), "The ceremony is finished: 7 actions, and the ledger has ")
	p.leaves(exitDone)
	screens.WriteString(p.shown())
	must(t, nil, "-C", dir, "verify")

	// A year later: one password, asked for once, and a wrong one is refused.
	later := []string{envNow + "=2027-12-10T09:00:00Z"}
	second := filepath.Join(dir, "second.json")
	must(t, later, "-C", dir, "plan", "--out", second)
	before := contents(t, dir)
	p = sit(t, later, "-C", dir, "apply", second)
	p.walk(second, "Password for secret.root: ")
	p.secret("", onlinePassword)
	p.walk(second, "This did not work: key of authority.root: keys/root/root.key: the password or")
	p.expect("Type exception to note it and decide, or stop: ")
	p.types("stop\n")
	p.expect("Next: make sure which password belongs to this key")
	p.leaves(exitToken)
	screens.WriteString(p.shown())
	if strings.Contains(p.shown(), "The same again") {
		t.Error("the password of a key that exists was asked for twice")
	}
	if after := contents(t, dir); after != before {
		t.Errorf("a wrong password changed something:\n%s\nwas\n%s", after, before)
	}

	// The same, and it is tried again.
	p = sit(t, later, "-C", dir, "apply", second)
	p.walk(second, "Password for secret.root: ")
	p.secret("", onlinePassword)
	p.walk(second, "Type exception to note it and decide, or stop: ")
	p.types("exception\n")
	p.expect("Decision: continue, repeat, stop (to go on later) or abort (for good)? ")
	p.types("repeat\n")
	p.secret("Password for secret.root: ", rootPassword)
	p.walk(second, "the very bytes of the plan")
	p.walk(second, "The ceremony is finished")
	p.leaves(exitDone)
	screens.WriteString(p.shown())
	must(t, later, "-C", dir, "verify")
	if out := must(t, later, "-C", dir, "show", filepath.Join(dir, ledgerName)); !strings.Contains(out, "exception 1 at step") {
		t.Errorf("the ledger does not tell of the exception:\n%s", out)
	}

	findCanaries(t, dir, screens.String())
}

func TestProductionStops(t *testing.T) {
	t.Parallel()
	dir := production(t)
	p := sit(t, nil, "-C", dir, "apply", planOf(dir))
	p.walk(planOf(dir), "Password for secret.root: ")
	for i, password := range []string{rootPassword, onlinePassword, adminPassword} {
		if i > 0 {
			p.expect("Password for ")
		}
		p.secret("", password)
		p.secret("The same again: ", password)
	}
	p.walk(planOf(dir), "Nothing has been made yet.")
	for _, words := range []string{"yes", "", "carry out this", "Carry out this plan", "carry out this plan now"} {
		p.expect(decision)
		p.types(words + "\n")
		p.expect(`That is not "carry out this plan".`)
	}
	p.expect(decision)
	p.types("stop the light went out\n")
	p.expect("stopped: the light went out; nothing was made")
	p.leaves(exitError)
	nothingMade(t, dir)

	cases := map[string]struct {
		answers []string
		says    string
		code    int
	}{
		"short": {[]string{"fifteen-letters"}, "the password for secret.root has fewer than 16 characters;", exitError},
		"empty": {[]string{""}, "the password for secret.root has fewer than 16 characters", exitError},
		"twice": {[]string{rootPassword, onlinePassword}, "the two passwords for secret.root differ", exitError},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			p := sit(t, nil, "-C", dir, "apply", planOf(dir))
			p.walk(planOf(dir), "Password for secret.root: ")
			p.secret("", c.answers[0])
			for _, answer := range c.answers[1:] {
				p.secret("The same again: ", answer)
			}
			p.expect("This did not work: ")
			p.expect(c.says)
			p.expect("Type exception to note it and decide, or stop: ")
			p.types("stop\n")
			p.leaves(c.code)
			nothingMade(t, dir)
		})
	}
}

// TestNetworkOnATerminal refuses production where a network is.
func TestNetworkOnATerminal(t *testing.T) {
	t.Parallel()
	dir := production(t)
	p := sit(t, []string{envNetwork + "=eth7"}, "-C", dir, "apply", planOf(dir))
	p.walk(planOf(dir), "none: eth7")
	p.expect("Type exception to note it and decide, or stop: ")
	p.types("stop\n")
	p.expect("Refused: this computer has a network")
	p.leaves(exitRefused)
	nothingMade(t, dir)
}

// TestInterruptedAtAPrompt presses Ctrl-C, hangs up and ends the input where
// the program waits for a person.
func TestInterruptedAtAPrompt(t *testing.T) {
	t.Parallel()
	dir := production(t)
	const prompt = "Type done, or press Enter: "

	p := sit(t, nil, "-C", dir, "apply", planOf(dir))
	p.expect(prompt)
	p.types("\x03")
	p.expect("Error: interrupted; nothing more was done")
	p.leaves(exitInterrupted)
	nothingMade(t, dir)

	p = sit(t, nil, "-C", dir, "apply", planOf(dir))
	p.expect(prompt)
	p.types("\x04")
	p.expect("stopped: the input ended")
	p.leaves(exitError)
	nothingMade(t, dir)

	p = sit(t, nil, "-C", dir, "apply", planOf(dir))
	p.walk(planOf(dir), "Password for secret.root: ")
	p.secret("", rootPassword)
	p.expect("The same again: ")
	for p.echoes() {
		time.Sleep(time.Millisecond)
	}
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.expect("interrupted")
	p.leaves(exitInterrupted)
	nothingMade(t, dir)
	if !p.echoes() {
		t.Error("the terminal was left without echo")
	}
	if strings.Contains(p.shown(), rootPassword) {
		t.Error("the password was shown")
	}
}

// TestResumedOnATerminal kills a ceremony between a key and its entry. What
// goes on must be the same password: with another one nothing is made, and
// there is no second key.
func TestResumedOnATerminal(t *testing.T) {
	t.Parallel()
	dir := production(t)
	answer := func(p *person, root string) {
		for _, s := range []struct{ name, password string }{
			{"secret.root", root}, {"secret.online", onlinePassword}, {"secret.admin", adminPassword},
		} {
			p.walk(planOf(dir), "Password for "+s.name+": ")
			p.secret("", s.password)
			p.secret("The same again: ", s.password)
		}
	}
	p := sit(t, []string{fmt.Sprintf("%s=%d", envKill, afterRootKey+4)}, "-C", dir, "apply", planOf(dir))
	answer(p, rootPassword)
	p.walk(planOf(dir), `Type "make key root" to go on: `)
	p.types("make key root\n")
	p.leaves(-1)
	key := filepath.Join(dir, "keys/root/root.key")
	before, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}

	p = sit(t, nil, "-C", dir, "apply", planOf(dir), "--resume")
	answer(p, "another password, long enough")
	p.walk(planOf(dir), "This ceremony was interrupted and goes on where it stopped.")
	p.walk(planOf(dir), "or PIN was refused")
	p.expect("0 of 7 actions are in the ledger; when the cause is mended, go on with")
	p.leaves(exitToken)
	if after, err := os.ReadFile(key); err != nil || !bytes.Equal(after, before) {
		t.Errorf("the key was replaced (%v)", err)
	}

	p = sit(t, nil, "-C", dir, "apply", planOf(dir), "--resume")
	answer(p, rootPassword)
	p.walk(planOf(dir), "the key was made before the interruption and is taken over")
	p.walk(planOf(dir), "The ceremony is finished")
	p.leaves(exitDone)
	must(t, nil, "-C", dir, "verify")
}

// TestAbortOnATerminal ends a ceremony that was killed between a key and its
// entry: the key is opened with its password and entered.
func TestAbortOnATerminal(t *testing.T) {
	t.Parallel()
	dir := production(t)
	p := sit(t, []string{fmt.Sprintf("%s=%d", envKill, afterRootKey+4)}, "-C", dir, "apply", planOf(dir))
	for _, password := range []string{rootPassword, onlinePassword, adminPassword} {
		p.walk(planOf(dir), "Password for ")
		p.secret("", password)
		p.secret("The same again: ", password)
	}
	p.walk(planOf(dir), `Type "make key root" to go on: `)
	p.types("make key root\n")
	p.leaves(-1)

	abort := []string{"-C", dir, "ceremony", "abort", planOf(dir), "--reason", "the light went out", "--by", "ada"}
	p = sit(t, nil, abort...)
	p.expect(`Type "abort this ceremony" to go on, or stop: `)
	p.types("stop\n")
	p.expect("stopped: nothing was changed")
	p.leaves(exitError)
	p = sit(t, nil, abort...)
	p.expect(`Type "abort this ceremony" to go on, or stop: `)
	p.types("abort it\n")
	p.expect(`Type "abort this ceremony" to go on, or stop: `)
	p.types("abort this ceremony\n")
	p.secret("Password for secret.root: ", rootPassword)
	p.expect("The ceremony is aborted, with 1 of 7 actions done")
	p.leaves(exitDone)
	must(t, nil, "-C", dir, "verify")
}

// TestInterruptedInTheMiddle presses Ctrl-C after the first entry. The program
// ends in order and says how to go on.
func TestInterruptedInTheMiddle(t *testing.T) {
	t.Parallel()
	dir := estate(t, "two-tier", false)
	hold := filepath.Join(t.TempDir(), "hold")
	if err := os.WriteFile(hold, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	begun := filepath.Join(t.TempDir(), "begun")
	p := sit(t, []string{envPause + "=" + hold, envEffects + "=" + begun}, "-C", dir, "apply", planOf(dir), "--yes")
	p.expect("Answered by --yes.")
	for text, _ := os.ReadFile(begun); len(text) == 0; text, _ = os.ReadFile(begun) {
		time.Sleep(time.Millisecond)
	}
	p.types("\x03")
	time.Sleep(100 * time.Millisecond) // for the signal to arrive before the pause ends
	if err := os.Remove(hold); err != nil {
		t.Fatal(err)
	}
	p.expect("Error: interrupted: ")
	p.expect("0 of 7 actions are in the ledger")
	p.leaves(exitInterrupted)
	must(t, nil, "-C", dir, "apply", planOf(dir), "--yes", "--resume")
	must(t, nil, "-C", dir, "verify")
}
