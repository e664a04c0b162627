// Command pki plans a PKI from HCL, carries plans out in ceremonies, and
// renders what online CAs need.
//
// One file holds one verb. app.go is what verbs share, print.go writes what
// people read, prompt.go asks them.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"pki.internal/ceremony"
	"pki.internal/ceremony/ledger"
	"pki.internal/hsm"
	"pki.internal/hsm/pkcs11"
	"pki.internal/lint"
	"pki.internal/spec"
)

// Exit codes, as "pki help exit-codes" explains them.
const (
	exitDone        = 0
	exitError       = 1
	exitChanges     = 2
	exitPerson      = 3
	exitRefused     = 4
	exitToken       = 5
	exitUsage       = 64
	exitInterrupted = 130
)

func main() { os.Exit(run()) }

// run is main with its exit code, so that scripts can drive it in one process.
func run() int {
	if !slices.Contains(os.Args, "crl") { // those commands are to fit into small containers
		debug.SetGCPercent(roomyPercent) // cleaning up while the commands are put together is not worth it
	}
	if len(os.Args) == 2 && os.Args[1] == pkcs11.AgentWord {
		return pkcs11.RunAgent()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	a := &app{
		stdout: os.Stdout, stderr: os.Stderr,
		now:   testOnlyNow,
		color: term.IsTerminal(int(os.Stderr.Fd())) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb",
		width: terminalWidth(), release: func() { signal.Reset(os.Interrupt, syscall.SIGTERM) },
	}
	root := rootCommand(a)
	command, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitDone
	}
	// A flag that is not understood stops the parser before it comes to --json.
	a.json = a.json || slices.Contains(os.Args, "--json")
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = &interruptedError{err}
	}
	a.fail(nameOfCommand(command), err)
	return exitCode(ctx, err)
}

// nameOfCommand gives a command's name without that of the program, as results
// in JSON have it; "" for the program alone.
func nameOfCommand(c *cobra.Command) string {
	return strings.TrimPrefix(strings.TrimPrefix(c.CommandPath(), c.Root().Name()), " ")
}

// testOnlyNow is the clock. Tests of the command set it to another day.
var testOnlyNow = time.Now

func terminalWidth() int {
	width, _, err := term.GetSize(int(os.Stderr.Fd()))
	if err != nil || width < 40 {
		return 80
	}
	return min(width, 100)
}

func rootCommand(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "pki",
		Short: "Offline root ceremonies and PKI as code",
		Long: `pki plans a PKI from HCL, carries the plan out in a ceremony, and renders what
online CAs need.

  pki init DIR --example two-tier   start from an example
  pki plan --out plan.json          what has to be done, down to the bytes
  pki show plan.json                the same in words, for reviewers
  pki apply plan.json               the ceremony
  pki verify                        replay the ledger; needs no key
  pki apply                         render configuration; reaches no ceremony key`,
		SilenceErrors: true, SilenceUsage: true,
		PersistentPreRunE: func(c *cobra.Command, _ []string) error {
			if looks(c) {
				a.release()
			}
			if c.Parent() == nil || c.Parent().Name() != "crl" {
				collectLess()
			}
			return seclude()
		},
		Args: knownCommand,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.PersistentFlags().StringVarP(&a.dir, "chdir", "C", ".", "the estate's folder")
	root.PersistentFlags().BoolVar(&a.json, "json", false, "write results and errors as JSON on standard output")
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return &usageError{fmt.Errorf("%w%s; see %s --help", err, nearFlag(c, err.Error()), c.CommandPath())}
	})
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.AddCommand(
		schemaCommand(a),
		initCommand(a), fmtCommand(a), validateCommand(a), planCommand(a), showCommand(a), approveCommand(a), applyCommand(a),
		verifyCommand(a), statusCommand(a), crlCommand(a), csrCommand(a), lintCommand(a), renderCommand(a), deliverCommand(a), graphCommand(a), shareCommand(a), tokenCommand(a), wordsCommand(a), versionCommand(a), exitCodesTopic(),
	)
	root.AddCommand(doctorCommand(a), bundleCommand(a), ceremonyCommand(a))
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	strictArgs(root)
	return root
}

// looks says whether a command looks at things and makes nothing that could be
// half done, so that a signal may end it where it is. Plans and findings of a
// large estate take long, and nobody wants to wait for the end of a wrong one.
func looks(c *cobra.Command) bool {
	switch nameOfCommand(c) {
	case "plan", "validate", "lint", "show", "graph", "status", "schema", "crl show", "crl diff", "crl verify":
		return true
	}
	return false
}

// strictArgs makes a wrong number of arguments a usage error, in every
// command.
func strictArgs(c *cobra.Command) {
	if c.Name() == "help" {
		c.Args = func(c *cobra.Command, args []string) error {
			if _, rest, err := c.Root().Find(args); err != nil || len(rest) > 0 {
				return fmt.Errorf("there is no help on %q", strings.Join(args, " "))
			}
			return nil
		}
	}
	c.Args = usageArgs(c.Args)
	for _, below := range c.Commands() {
		strictArgs(below)
	}
}

// knownCommand refuses a verb that there is not, and offers the ones that look
// like it.
func knownCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if c.SuggestionsMinimumDistance = 2; len(args[0]) < 4 { // every short word is near every other
		c.SuggestionsMinimumDistance = 1
	}
	if like := c.SuggestionsFor(args[0]); len(like) > 0 {
		return fmt.Errorf("unknown command %q; did you mean %s?", args[0], strings.Join(like, " or "))
	}
	return fmt.Errorf("unknown command %q", args[0])
}

// usageError is a command line that cannot be understood.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// usageArgs makes a wrong number of arguments a usage error.
func usageArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if check == nil {
			return nil
		}
		err := check(c, args)
		if err == nil {
			return nil
		}
		if c.HasSubCommands() && len(args) > 0 {
			return &usageError{fmt.Errorf("%w; see %s --help", knownCommand(c, args), c.CommandPath())}
		}
		if c.HasParent() && c.Name() != "help" {
			err = wrongCount(c, len(args))
		}
		return &usageError{fmt.Errorf("%w; see %s --help", err, c.CommandPath())}
	}
}

// wrongCount says which arguments a command takes, in the words of its help.
func wrongCount(c *cobra.Command, given int) error {
	takes := strings.TrimSpace(strings.TrimPrefix(c.Use, c.Name()))
	if takes == "" {
		takes = "no arguments"
	}
	switch given {
	case 0:
		return fmt.Errorf("%s takes %s, and nothing was given", c.CommandPath(), takes)
	case 1:
		return fmt.Errorf("%s takes %s, and 1 argument was given", c.CommandPath(), takes)
	}
	return fmt.Errorf("%s takes %s, and %d arguments were given", c.CommandPath(), takes, given)
}

// personError means that someone must answer and nobody can be asked.
type personError struct{ wanted, next string }

func (e *personError) Error() string { return e.wanted + "; " + e.next }

// interruptedError is a command that a signal ended.
type interruptedError struct{ err error }

func (e *interruptedError) Error() string { return "interrupted" + unlessBare(e.err) }
func (e *interruptedError) Unwrap() error { return e.err }

// unlessBare gives what an error adds to the mere word that a context was
// cancelled.
func unlessBare(err error) string {
	if text := strings.ReplaceAll(err.Error(), context.Canceled.Error(), "stopped by a signal"); text != "stopped by a signal" {
		return ": " + text
	}
	return "; nothing more was done"
}

// saidError carries exit code 1: what is wrong has been said already.
type saidError struct{}

func (e *saidError) Error() string { return "what was found is above" }

// changesError carries exit code 2: something was found, and it has been said
// already.
type changesError struct{ found string }

func (e *changesError) Error() string { return e.found }

// exitCode tells the kinds of failure apart for scripts.
func exitCode(ctx context.Context, err error) int {
	var usage *usageError
	var person *personError
	var changes *changesError
	var refusal *ceremony.Refusal
	var lintRefusal *lint.Refused
	var diags spec.Diagnostics
	switch {
	case ctx.Err() != nil:
		return exitInterrupted
	case errors.As(err, &usage):
		return exitUsage
	case errors.As(err, &person):
		return exitPerson
	case errors.As(err, &changes):
		return exitChanges
	case errors.As(err, &refusal), errors.As(err, &lintRefusal), errors.Is(err, ledger.ErrTorn):
		return exitRefused
	case isTokenError(err):
		return exitToken
	case errors.As(err, &diags):
		return exitError
	}
	return exitError
}

func isTokenError(err error) bool {
	for _, kind := range []error{
		hsm.ErrWrongPIN, hsm.ErrPINLocked, hsm.ErrTokenGone, hsm.ErrUnsupported,
		hsm.ErrExists, hsm.ErrNotFound, hsm.ErrAmbiguous, hsm.ErrMismatch,
		hsm.ErrHalfPair, hsm.ErrToken,
	} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}

func exitCodesTopic() *cobra.Command {
	return &cobra.Command{
		Use:   "exit-codes",
		Short: "What the exit codes mean",
		Args:  cobra.NoArgs,
		Long: `Exit codes:

    0  done
    1  error
    2  changes or findings (plan --detailed-exitcode, fmt --check,
       render --check, lint)
    3  a person is needed: there is no terminal to ask on
    4  refused: stale or changed plan, wrong window, a file in the way,
       an interrupted ceremony, a lint finding
    5  key store: wrong password, key missing or not the recorded one
   64  the command line cannot be understood
  130  interrupted`,
	}
}
