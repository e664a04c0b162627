package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"pki.internal/ceremony"
	"pki.internal/ceremony/ledger"
	"pki.internal/hsm"
	"pki.internal/hsm/pkcs11"
	"pki.internal/plan"
	"pki.internal/spec"
	"pki.internal/spec/hclspec"
)

// ledgerName is where an estate keeps its ledger (a contract).
const ledgerName = "ledger.jsonl"

// app is what every verb shares: the flags of the root command and the edges
// of the program.
type app struct {
	dir            string
	json           bool
	stdout, stderr io.Writer
	now            func() time.Time
	color          bool
	width          int
	release        func()            // from now on a signal ends the process
	sources        map[string][]byte // of the estate that was loaded, for snippets
	warnings       spec.Diagnostics  // shown so far
	estate         *spec.Estate      // that was loaded last, for names that no plan holds
	ledger         plan.State        // that was read last, likewise
}

// folder opens the estate's folder. Nothing outside it is reached through the
// result, not even by a symbolic link.
func (a *app) folder() (*os.Root, error) {
	root, err := os.OpenRoot(a.dir)
	if err != nil {
		return nil, fmt.Errorf("the estate's folder cannot be opened: %w; name it with -C DIR", err)
	}
	return root, nil
}

// self is how this program is called for the same estate, for next steps.
func (a *app) self() string {
	if a.dir == "." {
		return "pki"
	}
	return "pki -C " + a.dir
}

// load reads the estate. Warnings are shown at once; errors come back as
// spec.Diagnostics.
func (a *app) load(root *os.Root, vars map[string]string) (*spec.Estate, error) {
	loaded, diags := hclspec.Load(root.FS(), vars)
	a.sources = loaded.Sources
	if !diags.HasErrors() {
		diags = append(diags, checkOnline(loaded.Estate)...).Sorted()
		diags = append(diags, checkRecipients(loaded.Estate)...)
	}
	if diags.HasErrors() {
		return nil, diags
	}
	a.warn(diags)
	a.estate = loaded.Estate
	return loaded.Estate, nil
}

// warn shows diagnostics that stop nothing; programs get them with the result.
func (a *app) warn(diags spec.Diagnostics) {
	a.warnings = append(a.warnings, diags...)
	if !a.json {
		a.printDiagnostics(a.stderr, diags)
	}
}

// book reads the ledger without writing to it.
func (a *app) book(root *os.Root) (*ledger.Book, error) {
	book, torn, err := ledger.Load(root.FS(), ledgerName)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ledgerName, err)
	}
	if len(torn) > 0 {
		return nil, fmt.Errorf("%s: %w", ledgerName, ledger.ErrTorn)
	}
	a.ledger = book.State()
	return book, nil
}

// document is the JSON that every command writes with --json.
type document struct {
	FormatVersion string   `json:"format_version"`
	Command       string   `json:"command"`
	Result        any      `json:"result,omitempty"`
	Error         string   `json:"error,omitempty"`
	Diagnostics   []quoted `json:"diagnostics,omitempty"`
}

// emit writes a command's result: for programs with --json, else for people.
func (a *app) emit(command string, result any, human func(w io.Writer)) error {
	text, err := a.compose(command, result, human)
	if err != nil {
		return err
	}
	_, err = a.stdout.Write(text)
	return err
}

// compose makes what emit writes.
func (a *app) compose(command string, result any, human func(w io.Writer)) ([]byte, error) {
	var b bytes.Buffer
	if a.json {
		e := json.NewEncoder(&b)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		if err := e.Encode(document{FormatVersion: "1.0", Command: command, Result: result, Diagnostics: a.quote(a.warnings)}); err != nil {
			return nil, err
		}
	} else {
		human(&b)
	}
	return b.Bytes(), nil
}

// fail says on standard error, or as JSON on standard output, why a command
// failed, and with JSON what it warned of before.
func (a *app) fail(command string, err error) {
	var changes *changesError
	var said *saidError
	if errors.As(err, &said) || (errors.As(err, &changes) && changes.found == "") {
		return
	}
	var diags spec.Diagnostics
	isDiags := errors.As(err, &diags)
	if a.json {
		d := document{FormatVersion: "1.0", Command: command, Error: err.Error(), Diagnostics: a.quote(slices.Concat(a.warnings, diags))}
		text, encodeErr := json.MarshalIndent(d, "", "  ")
		if encodeErr == nil {
			fmt.Fprintf(a.stdout, "%s\n", text)
			return
		}
	}
	var refusal *ceremony.Refusal
	switch {
	case isDiags:
		a.printDiagnostics(a.stderr, diags)
	case errors.As(err, &changes):
		fmt.Fprintln(a.stderr, changes.found)
	case errors.As(err, &refusal):
		context, rest, _ := strings.Cut(err.Error(), refusal.Error())
		a.failed("Refused:", context+refusal.Fact+".")
		fmt.Fprintf(a.stderr, "%s\n", wrap("Next: "+refusal.Next+".", a.width, "  "))
		if rest = strings.TrimSpace(rest); rest != "" {
			fmt.Fprintf(a.stderr, "%s.\n", wrap(rest, a.width, "  "))
		}
	default:
		a.failed("Error:", err.Error())
		if next := nextAfter(err); next != "" {
			fmt.Fprintf(a.stderr, "%s\n", wrap("Next: "+next+".", a.width, "  "))
		}
	}
}

// failed writes what went wrong, each of its lines wrapped.
func (a *app) failed(title, text string) {
	title = a.paint(red, title) + " "
	for line := range strings.SplitSeq(text, "\n") {
		fmt.Fprintf(a.stderr, "%s\n", wrap(title+line, a.width, "  "))
		title = ""
	}
}

// nextAfter says what to do about trouble with a key, which key stores do not
// know.
func nextAfter(err error) string {
	var token *pkcs11.Error
	switch {
	case errors.As(err, &token): // it says what to do itself
	case errors.Is(err, hsm.ErrWrongPIN):
		return "make sure which password belongs to this key, and run the command again"
	case errors.Is(err, hsm.ErrNotFound):
		return "bring the key back from its backup, and run the command again"
	}
	return ""
}

// version is set by the linker; a build without it says what Go knows.
var version = ""

func toolVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return strings.TrimPrefix(info.Main.Version, "v")
	}
	return "0.1.0-dev"
}

// tool identifies this program by version and by the hash of its file.
func tool() (plan.Tool, error) {
	name, err := os.Executable()
	if err != nil {
		return plan.Tool{}, err
	}
	f, err := os.Open(name)
	if err != nil {
		return plan.Tool{}, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return plan.Tool{}, err
	}
	return plan.Tool{Version: toolVersion(), SHA256: hex.EncodeToString(h.Sum(nil))}, nil
}
