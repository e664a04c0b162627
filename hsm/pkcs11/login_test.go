//go:build cgo

package pkcs11

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pki.internal/hsm"
	"pki.internal/spec"
)

func TestChoose(t *testing.T) {
	ready := State{Initialized: true}
	a := Token{Label: "root", Serial: "1", Manufacturer: "ACME", Model: "X", State: ready}
	b := Token{Label: "root", Serial: "2", Manufacturer: "ACME", Model: "Y", State: ready}
	empty := Token{Label: "root", Serial: "3"}
	padded := Token{Label: "pad", Serial: "0", Model: "tpm", State: ready}
	for name, c := range map[string]struct {
		s    Selector
		want error
		says string
		have string
	}{
		"label and serial": {Selector{Label: "root", Serial: "2"}, nil, "", "2"},
		"serial":           {Selector{Serial: "1"}, nil, "", "1"},
		"label and model":  {Selector{Label: "root", Model: "Y"}, nil, "", "2"},
		"padding":          {Selector{Label: "pad  ", Model: "tpm\x00\x00"}, nil, "", "0"},
		"twins":            {Selector{Label: "root"}, hsm.ErrAmbiguous, `serial "1"`, ""},
		"none":             {Selector{Label: "Root"}, hsm.ErrTokenGone, `serial "2"`, ""},
		"not initialised":  {Selector{Serial: "3"}, hsm.ErrTokenGone, "plug the right one in", ""},
		"unnamed":          {Selector{Model: "X"}, hsm.ErrAmbiguous, "label or serial", ""},
	} {
		got, err := c.s.choose([]Token{a, empty, b, padded})
		if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) || got.Serial != c.have {
			t.Errorf("%s: %v, %v", name, got, err)
		}
		if err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v does not say %q", name, err, c.says)
		}
	}
	if _, err := (Selector{Label: "x"}).choose(nil); !errors.Is(err, hsm.ErrTokenGone) || !strings.Contains(err.Error(), "none at all") {
		t.Errorf("no token: %v", err)
	}
}

func TestMayLogIn(t *testing.T) {
	good := Token{Label: "a", MinPIN: 4, MaxPIN: 8, State: State{Initialized: true, UserPINSet: true}}
	with := func(change func(*Token)) Token {
		changed := good
		change(&changed)
		return changed
	}
	pin := []byte("12345678")
	for name, c := range map[string]struct {
		t    Token
		o    Options
		pin  []byte
		want error
	}{
		"good":        {good, Options{}, pin, nil},
		"short":       {good, Options{}, pin[:3], hsm.ErrWrongPIN},
		"long":        {good, Options{}, append(pin, '9'), hsm.ErrWrongPIN},
		"empty":       {good, Options{}, nil, hsm.ErrWrongPIN},
		"no limits":   {with(func(t *Token) { t.MinPIN, t.MaxPIN = 0, 0 }), Options{}, append(pin, '9'), nil},
		"locked":      {with(func(t *Token) { t.State.PINLocked = true }), Options{LastTry: true}, pin, hsm.ErrPINLocked},
		"final":       {with(func(t *Token) { t.State.PINFinalTry = true }), Options{}, pin, hsm.ErrPINLocked},
		"final, told": {with(func(t *Token) { t.State.PINFinalTry = true }), Options{LastTry: true}, pin, nil},
		"count low":   {with(func(t *Token) { t.State.PINCountLow = true }), Options{}, pin, nil},
		"no user PIN": {with(func(t *Token) { t.State.UserPINSet = false }), Options{}, pin, hsm.ErrToken},
		"no pad":      {good, Options{PINPad: true}, nil, hsm.ErrUnsupported},
		"pad":         {with(func(t *Token) { t.State.PINPad = true }), Options{PINPad: true}, nil, nil},
	} {
		if err := mayLogIn(c.t, c.o, c.pin); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// TestWrongPIN is tried once, by count of the module's own calls.
func TestWrongPIN(t *testing.T) {
	o := newToken(t, "pins")
	trace := filepath.Join(t.TempDir(), "trace")
	_, err := Open(t.Context(), faulty(t, o, "trace "+trace), []byte("user-pin-2"))
	if !errors.Is(err, hsm.ErrWrongPIN) || !strings.Contains(err.Error(), "CKR_PIN_INCORRECT") || !strings.Contains(err.Error(), "C_Login") {
		t.Errorf("Open = %v", err)
	}
	calls, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(calls), "C_Login"); n != 1 {
		t.Errorf("C_Login was called %d times", n)
	}
	_, err = Open(t.Context(), faulty(t, o, "trace "+trace+"2"), []byte("abc"))
	if !errors.Is(err, hsm.ErrWrongPIN) || !strings.Contains(err.Error(), "4 to 255") {
		t.Errorf("a short PIN: %v", err)
	}
	if calls, err := os.ReadFile(trace + "2"); err != nil || strings.Contains(string(calls), "C_Login") {
		t.Errorf("a PIN of a wrong length was tried (%v)", err)
	}
	_, tokens, err := List(t.Context(), o)
	if err != nil || !tokens[0].State.PINCountLow {
		t.Errorf("the token does not say that a PIN was wrong: %v %v", tokens, err)
	}
}

// TestLoginAnswers holds every way in which C_Login says no.
func TestLoginAnswers(t *testing.T) {
	o := newToken(t, "answers")
	for order, want := range map[string]error{
		"return 0xA0": hsm.ErrWrongPIN, "return 0xA4": hsm.ErrPINLocked, "return 0x100": hsm.ErrToken,
		"return 0x32": hsm.ErrTokenGone, "return 0x5": hsm.ErrTokenGone, "return 0x80000001": hsm.ErrToken,
	} {
		s, err := Open(t.Context(), faulty(t, o, "C_Login 1 "+order), []byte(userPIN))
		if !errors.Is(err, want) || s != nil {
			t.Errorf("%s: %v, want %v", order, err, want)
		}
	}
}

func TestTwoTokensWithOneLabel(t *testing.T) {
	o := newToken(t, "twin")
	moved := o
	moved.Env = softEnv(t)
	moved = addToken(t, moved, "twin")
	// Copy the second token beside the first, as a cloned card would be.
	dir := func(o Options) string {
		return filepath.Join(filepath.Dir(strings.TrimPrefix(o.Env[0], "SOFTHSM2_CONF=")), "tokens")
	}
	if out, err := exec.Command("cp", "-a", dir(moved)+"/.", dir(o)).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	o.Token = Selector{Label: "twin"}
	if _, err := Open(t.Context(), o, []byte(userPIN)); !errors.Is(err, hsm.ErrAmbiguous) || !strings.Contains(err.Error(), moved.Token.Serial) {
		t.Errorf("by label: %v", err)
	}
	o.Token.Serial = moved.Token.Serial
	if got := openToken(t, o).Token().Serial; got != moved.Token.Serial {
		t.Errorf("by serial: %s", got)
	}
}

func TestInit(t *testing.T) {
	o := newToken(t, "one")
	for name, c := range map[string]struct {
		label        string
		officer, pin string
		want         error
	}{
		"label taken":     {"one", officerPIN, userPIN, hsm.ErrExists},
		"no label":        {"", officerPIN, userPIN, hsm.ErrUnsupported},
		"label too long":  {strings.Repeat("é", 17), officerPIN, userPIN, hsm.ErrUnsupported},
		"short officer":   {"four", "abc", userPIN, hsm.ErrWrongPIN},
		"short user PIN":  {"five", officerPIN, "abc", hsm.ErrWrongPIN},
		"good, a second":  {"two", officerPIN, userPIN, nil},
		"empty officer's": {"three", "", userPIN, hsm.ErrWrongPIN},
	} {
		o.Token = Selector{}
		if _, err := Init(t.Context(), o, c.label, []byte(c.officer), []byte(c.pin)); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	_, tokens, err := List(t.Context(), o)
	if err != nil || len(tokens) != 3 { // two, and the empty one that SoftHSM always shows
		t.Errorf("tokens = %v, %v", tokens, err)
	}
	full := Options{Module: o.Module, Env: o.Env, Token: Selector{Serial: tokens[0].Serial}}
	if _, err := Init(t.Context(), full, "again", []byte(officerPIN), []byte(userPIN)); !errors.Is(err, hsm.ErrExists) {
		t.Errorf("a token in use: %v", err)
	}
}

// TestModules holds what is no module, or not the right one.
func TestModules(t *testing.T) {
	good := newToken(t, "modules")
	dir := t.TempDir()
	text := filepath.Join(dir, "text.so")
	if err := os.WriteFile(text, []byte("not a library"), 0o700); err != nil {
		t.Fatal(err)
	}
	libc := installed(t, "libm", "/lib/x86_64-linux-gnu/libm.so.6", "/usr/lib/libm.so.6", "/lib64/libm.so.6")
	conf := faulty(t, good)
	if err := os.Remove(conf.Module + ".conf"); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		o    Options
		want error
		says string
	}{
		"relative":                {Options{Module: "libsofthsm2.so"}, hsm.ErrUnsupported, "not absolute"},
		"missing":                 {Options{Module: filepath.Join(dir, "none.so")}, hsm.ErrToken, "no such file"},
		"a folder":                {Options{Module: dir}, hsm.ErrToken, "not a file"},
		"no library":              {Options{Module: text}, hsm.ErrUnsupported, "cannot be loaded"},
		"no C_GetFunctionList":    {Options{Module: libc}, hsm.ErrUnsupported, "C_GetFunctionList"},
		"C_GetFunctionList fails": {conf, hsm.ErrUnsupported, "reports an error"},
		"another hash":            {Options{Module: good.Module, SHA256: strings.Repeat("0", 64)}, hsm.ErrMismatch, "pins"},
		"crash in C_Initialize":   {faulty(t, good, "C_Initialize 1 segv"), hsm.ErrTokenGone, "SIGSEGV"},
		"exit in C_Initialize":    {faulty(t, good, "C_Initialize 1 kill"), hsm.ErrTokenGone, "killed"},
		"C_GetSlotList fails":     {faulty(t, good, "C_GetSlotList 1 return 0x5"), hsm.ErrTokenGone, "C_GetSlotList: CKR_GENERAL_ERROR 0x05"},
	} {
		c.o.Token = good.Token
		s, err := Open(t.Context(), c.o, []byte(userPIN))
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) || s != nil {
			t.Errorf("%s: %v, want %v with %q", name, err, c.want, c.says)
		}
	}
	library, _, err := List(t.Context(), good)
	if err != nil || len(library.SHA256) != 64 {
		t.Fatal(library, err)
	}
	good.SHA256 = library.SHA256
	openToken(t, good)
}

// TestCloseEndsTheSession keeps small tokens, which have few sessions, usable.
func TestCloseEndsTheSession(t *testing.T) {
	trace := filepath.Join(t.TempDir(), "trace")
	s, err := Open(t.Context(), faulty(t, newToken(t, "close"), "trace "+trace), []byte(userPIN))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	calls, err := os.ReadFile(trace)
	if err != nil || !strings.HasSuffix(string(calls), "C_Logout 1\nC_CloseSession 1\nC_Finalize 1\n") {
		t.Errorf("the last calls (%v):\n%s", err, calls)
	}
	if _, _, err := s.Generate(t.Context(), keySpec(spec.ECDSAP256, "late")); err == nil {
		t.Error("a closed store makes keys")
	}
}

// TestEnvironment keeps what loads or traces other code away from modules.
func TestEnvironment(t *testing.T) {
	env := environment([]string{
		"LD_PRELOAD=x", "LD_LIBRARY_PATH=x", "PKCS11SPY=x", "PKCS11SPY_OUTPUT=x", "P11_KIT_DEBUG=x", "P11_KIT_SERVER_ADDRESS=x",
		"SOFTHSM2_CONF=keep", "PIN=1234", "GOTRACEBACK=crash", "HOME=/h",
	}, []string{"MORE=1"})
	if have := strings.Join(env, " "); have != "SOFTHSM2_CONF=keep HOME=/h MORE=1 GOTRACEBACK=none" {
		t.Error(have)
	}
}

// TestSecretStays looks for the PIN where it must not be: in the helper's
// arguments and environment, and in its memory after the login.
func TestSecretStays(t *testing.T) {
	o := newToken(t, "memory")
	pin := []byte("kept-nowhere-73ab")
	o.Token = Selector{}
	token, err := Init(t.Context(), o, "memory2", []byte(officerPIN), pin)
	if err != nil {
		t.Fatal(err)
	}
	o.Token = Selector{Serial: token.Serial}
	s, err := Open(t.Context(), o, pin)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, name := range []string{"cmdline", "environ"} {
		text, err := os.ReadFile(filepath.Join("/proc", itoa(s.client.cmd.Process.Pid), name))
		if err != nil {
			t.Skipf("the helper hides %s, and this test is not privileged", name)
		}
		if strings.Contains(string(text), string(pin)) {
			t.Errorf("the PIN is in the helper's %s", name)
		}
	}
	ours, seen := copies(t, s.client.cmd.Process.Pid, pin)
	if ours > 0 {
		t.Errorf("%d copies of the PIN are left in the helper's own memory", ours)
	}
	t.Logf("%d bytes of the helper's memory were searched", seen)
	if known, _ := copies(t, s.client.cmd.Process.Pid, []byte(o.Module)); known == 0 {
		t.Error("the module's path was not found either, so the search sees nothing")
	}
}

func TestInterrupted(t *testing.T) {
	s, err := Open(t.Context(), faulty(t, newToken(t, "stop"), "C_GenerateKeyPair 1 hang"), []byte(userPIN))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, _, err = s.Generate(ctx, keySpec(spec.ECDSAP256, "k"))
	if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, hsm.ErrTokenGone) {
		t.Errorf("Generate = %v", err)
	}
	if _, err := s.Find(t.Context(), keySpec(spec.ECDSAP256, "k"), nil); !errors.Is(err, hsm.ErrTokenGone) {
		t.Errorf("Find after it = %v", err)
	}
}

// TestCanReady finds out before a ceremony what Ready would find in it.
func TestCanReady(t *testing.T) {
	o := newToken(t, "taken") // and SoftHSM always shows one empty token more
	for name, c := range map[string]struct {
		label        string
		officer, pin int
		resumed      bool
		want         error
	}{
		"good":                  {"new", 8, 8, false, nil},
		"label that is there":   {"taken", 8, 8, false, hsm.ErrExists},
		"after an interruption": {"taken", 8, 8, true, nil},
		"short user PIN":        {"new", 8, 3, false, hsm.ErrUnsupported},
		"long officer's PIN":    {"new", 256, 8, false, hsm.ErrUnsupported},
		"no PIN":                {"new", 0, 8, false, hsm.ErrUnsupported},
	} {
		if err := CanReady(t.Context(), o, c.label, c.officer, c.pin, c.resumed); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
