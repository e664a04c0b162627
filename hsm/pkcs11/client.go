package pkcs11

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"pki.internal/hsm"
)

// Options says which module and token are meant.
type Options struct {
	Module   string // absolute path
	SHA256   string // of the module's file, lower-case hex; empty when it is not pinned
	InitArgs string // for modules that want words at C_Initialize, such as NSS
	Token    Selector
	PINPad   bool // the PIN is entered on the device
	LastTry  bool // log in although one try is left
	IDBytes  uint // how much of a key's id the token was seen to keep; 0 is all of it

	Env      []string      // more variables for the module, NAME=value
	Deadline time.Duration // of every call; 0 means what each call deserves
	Helpers  *Helpers      // of which one is taken, when there is one
}

// client is the parent's end of a helper process. Once a call has failed in
// the process itself, every later one fails too.
type client struct {
	module   string
	deadline time.Duration
	cmd      *exec.Cmd
	to, from *os.File
	said     *tail
	library  *Library
	tokens   []Token
	broken   *Error
	once     sync.Once
}

// start runs the helper process and loads the module in it.
func start(ctx context.Context, o Options) (*client, error) {
	if !filepath.IsAbs(o.Module) {
		return nil, refuse(hsm.ErrUnsupported, "write the whole path, such as /usr/lib/softhsm/libsofthsm2.so", "the module's path %q is not absolute", o.Module)
	}
	if c := o.Helpers.takeLoaded(o); c != nil {
		return c, nil
	}
	c := o.Helpers.take(o)
	if c == nil {
		var err error
		if c, err = launch(o); err != nil {
			return nil, err
		}
	}
	if err := c.load(ctx, o); err != nil {
		return nil, err
	}
	return c, nil
}

// load loads the module, and ends the process when that goes wrong.
func (c *client) load(ctx context.Context, o Options) error {
	r, err := c.call(ctx, request{Op: "open", Module: o.Module, SHA256: o.SHA256, InitArgs: o.InitArgs}, nil)
	if err != nil {
		c.stop()
		return err
	}
	c.library = r.Library
	for _, t := range r.Tokens {
		t.Token.Slot = t.Slot
		c.tokens = append(c.tokens, t.Token)
	}
	return nil
}

// self is this very program: on Linux also when its file was replaced since.
func self() (string, error) {
	if runtime.GOOS == "linux" {
		return "/proc/self/exe", nil
	}
	return os.Executable()
}

func launch(o Options) (*client, error) {
	path, err := self()
	if err != nil {
		return nil, err
	}
	childReads, to, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer childReads.Close()
	from, childWrites, err := os.Pipe()
	if err != nil {
		to.Close()
		return nil, err
	}
	defer childWrites.Close()
	c := &client{module: o.Module, deadline: o.Deadline, to: to, from: from, said: &tail{}}
	// What the module prints may hold a PIN, so only a crash's first line is kept.
	c.cmd = &exec.Cmd{
		Path: path, Args: []string{os.Args[0], AgentWord}, Env: environment(os.Environ(), o.Env),
		ExtraFiles: []*os.File{childReads, childWrites}, Stderr: c.said,
		SysProcAttr: &syscall.SysProcAttr{Setsid: true}, // a terminal's ^C is for the parent
		WaitDelay:   2 * time.Second,                    // a daemon that the module started may keep stderr open
	}
	if err := c.cmd.Start(); err != nil {
		to.Close()
		from.Close()
		return nil, fmt.Errorf("starting the helper process: %w", err)
	}
	return c, nil
}

// close lets the module log out and end its sessions, of which small tokens
// have few, and ends the helper process.
func (c *client) close() {
	if c.broken == nil {
		// Whatever goes wrong now, the process ends and nothing is lost.
		_, _ = c.call(context.Background(), request{Op: "close"}, nil)
	}
	c.stop()
}

// stop ends the helper process and whatever the module started.
func (c *client) stop() {
	c.once.Do(func() {
		c.to.Close()
		_ = syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL) // it may have ended by itself
		_ = c.cmd.Wait()                                      // it was killed, and that is known
		c.from.Close()
	})
}

// patience is how long a call may take. A token that makes RSA keys may need
// minutes, and a person with a pin pad needs time.
func (c *client) patience(q request) time.Duration {
	switch {
	case q.Op == "close":
		return 5 * time.Second
	case c.deadline > 0:
		return c.deadline
	case q.Op == "generate", q.Op == "init_token":
		return 10 * time.Minute
	case q.PINPad: // a person is asked
		return 5 * time.Minute
	}
	return time.Minute
}

// grace is how long an interrupted call may still take, so that a key is not
// cut in half for the sake of a moment.
const grace = 2 * time.Second

// call asks the helper process and waits for its answer. Without an answer
// in time the process is killed, and the store is lost.
func (c *client) call(ctx context.Context, q request, secret []byte) (*reply, error) {
	if c.broken != nil {
		return nil, c.broken
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	type answer struct {
		r   reply
		err error
	}
	got := make(chan answer, 1)
	go func() {
		var a answer
		if a.err = writeFrame(c.to, q, secret); a.err == nil {
			_, a.err = readFrame(c.from, &a.r, nil)
		}
		got <- a
	}()
	late := time.NewTimer(c.patience(q))
	defer late.Stop()
	var a answer
	select {
	case a = <-got:
	case <-late.C:
		c.stop()
		<-got
		return nil, c.lost(q, fmt.Sprintf("the module did not come back from %s within %s and was stopped", words(q.Op), c.patience(q)))
	case <-ctx.Done():
		select {
		case a = <-got:
		case <-time.After(grace):
			c.stop()
			<-got
			return nil, errors.Join(ctx.Err(), c.lost(q, "the command was interrupted in the middle of "+words(q.Op)))
		}
	}
	if a.err != nil {
		c.stop()
		return nil, c.lost(q, "the module ended its process in the middle of "+words(q.Op)+c.said.crash(c.cmd.ProcessState))
	}
	if f := a.r.Fault; f != nil {
		return nil, c.fail(q, *f)
	}
	return &a.r, nil
}

// loadNext is what to do about a module that does not start.
const loadNext = "see that this is the vendor's PKCS#11 module, that what it needs is installed and running, and that its configuration can be read"

// lost notes that the process is gone.
func (c *client) lost(q request, fact string) error {
	next := goneNext
	if q.Op == "open" {
		next = loadNext
	}
	c.broken = &Error{Fact: fact, Next: next, Kind: hsm.ErrTokenGone, Module: c.module}
	first := *c.broken
	first.Signed = q.Op == "sign"
	return &first
}

// fail puts a fault into words. After a failed C_Sign nobody knows what the
// token did, and its session is not to be used again.
func (c *client) fail(q request, f fault) error {
	if f.Function == "" {
		e := refuse(hsm.ErrToken, "", "%s", f.Text)
		e.Module = c.module
		switch f.Kind {
		case "unsupported":
			e.Kind, e.Next = hsm.ErrUnsupported, "give the vendor's PKCS#11 module"
			if f.Text == noPKCS11 {
				e.Next = "use a build with cgo for whatever needs a token"
			}
		case "missing":
			e.Next = "install the vendor's package, or correct the path"
		case "mismatch":
			e.Kind, e.Next = hsm.ErrMismatch, "compare the module with the vendor's, then correct the pin or the file"
		case "pin":
			e.Kind, e.Next = hsm.ErrWrongPIN, "give the PIN, or write pin_pad = true"
		}
		return e
	}
	e := explain(f, c.module)
	if f.Function == "C_Initialize" && (e.Kind == hsm.ErrTokenGone || e.Kind == hsm.ErrToken) {
		e.Fact, e.Next, e.Kind = "the module does not start", loadNext, hsm.ErrToken
	}
	if q.Op == "sign" && f.Function == "C_Login" {
		// The signature that was begun stays open in the session.
		e.Fact = "the key wants the PIN for each signature, and " + e.Fact
		c.stop()
		c.broken = &Error{Fact: "the token was closed after a signature was not allowed", Next: goneNext, Kind: hsm.ErrTokenGone, Module: c.module}
	}
	if f.Function == "C_Sign" {
		e.Signed = true
		c.stop()
		c.broken = &Error{Fact: "the token was closed after a signature failed", Next: goneNext, Kind: hsm.ErrTokenGone, Module: c.module}
	}
	return e
}

// words says what a call does.
func words(op string) string {
	switch op {
	case "open":
		return "loading"
	case "generate":
		return "making a key"
	case "sign":
		return "signing"
	case "login":
		return "logging in"
	case "objects":
		return "listing objects"
	case "wrap", "wrap_key":
		return "wrapping a key"
	case "unwrap_key":
		return "unwrapping a key"
	case "create", "import_key", "secret_key":
		return "making an object"
	case "set":
		return "changing an attribute"
	case "destroy":
		return "destroying an object"
	case "session":
		return "opening a session"
	case "peek":
		return "reading an attribute"
	case "init_token", "init_pin":
		return "initialising a token"
	}
	return op
}

// environment gives the helper process what modules need and nothing that
// makes a loader or a module run, trace or swap other code.
func environment(have, more []string) []string {
	allowed := []string{
		"HOME", "USER", "LOGNAME", "TMPDIR", "TZ", "LANG", "LC_ALL", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR",
		"SOFTHSM2_CONF", "TPM2_PKCS11_STORE", "TPM2_PKCS11_TCTI", "YUBIHSM_PKCS11_CONF", "ChrystokiConfigurationPath",
		"NFAST_HOME", "NFAST_SERVER", "CKNFAST_LOADSHARING", "CKNFAST_FAKE_ACCELERATOR_LOGIN", "CS_PKCS11_R3_CFG", "CS_PKCS11_R2_CFG",
		"P11NETHSM_CONFIG_FILE", "KRYOPTIC_CONF", "BOUNCYHSM_CFG_STRING",
	}
	var env []string
	for _, v := range have {
		if name, _, ok := strings.Cut(v, "="); ok && slices.Contains(allowed, name) {
			env = append(env, v)
		}
	}
	return append(append(env, more...), "GOTRACEBACK=none")
}

// tail keeps the first line of a crash and throws everything else away.
type tail struct {
	mu   sync.Mutex
	kept []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.kept) < 8<<10 {
		t.kept = append(t.kept, p[:min(len(p), 8<<10-len(t.kept))]...)
	}
	return len(p), nil
}

// crash says how a process ended.
func (t *tail) crash(s *os.ProcessState) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	for line := range bytes.Lines(t.kept) {
		text := strings.TrimSpace(string(line))
		if signal, found := strings.CutPrefix(text, "SIG"); found && len(signal) < 80 {
			return ": " + text
		}
	}
	if s == nil {
		return ""
	}
	return ": " + s.String()
}
