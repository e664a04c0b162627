package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pki.internal/hsm/pkcs11"
	"pki.internal/spec"
)

// tokenOptions says which token is meant, by flags or by a key store of the
// estate.
type tokenOptions struct {
	module, sha256, initArgs            string
	label, serial, manufacturer, model  string
	pinFile, officerPINFile, out, newer string
	pinPad, lastTry, login              bool
}

func tokenCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "token",
		Short: "Look at, initialise and test the tokens of an HSM",
		Long: `A token is named by a key store of the estate, or by --module and --token or
--serial. It is never named by a slot, because modules number slots anew.

The module runs in a process of its own: when it crashes or hangs, that is an
error and nothing more. A PIN is asked for on the terminal, or read from a file
that only its owner can read; it never stands on a command line.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(tokenListCommand(a), tokenInspectCommand(a), tokenInitCommand(a), tokenTestCommand(a))
	return c
}

func (o *tokenOptions) moduleFlags(c *cobra.Command) {
	c.Flags().StringVar(&o.module, "module", "", "whole path of the PKCS#11 module")
	c.Flags().StringVar(&o.sha256, "module-sha256", "", "what the SHA-256 of the module must be")
	c.Flags().StringVar(&o.initArgs, "init-args", "", "what the module wants to read at start; most want nothing")
}

func (o *tokenOptions) tokenFlags(c *cobra.Command) {
	o.moduleFlags(c)
	c.Flags().StringVar(&o.label, "token", "", "label of the token")
	c.Flags().StringVar(&o.serial, "serial", "", "serial number of the token")
	c.Flags().StringVar(&o.manufacturer, "manufacturer", "", "manufacturer of the token")
	c.Flags().StringVar(&o.model, "model", "", "model of the token")
}

func (o *tokenOptions) pinFlags(c *cobra.Command) {
	c.Flags().StringVar(&o.pinFile, "pin-file", "", "file with the user PIN, mode 0600; else it is asked for")
	c.Flags().BoolVar(&o.pinPad, "pin-pad", false, "the PIN is entered on the device")
	c.Flags().BoolVar(&o.lastTry, "last-pin-try", false, "log in although the token has one try left before it locks")
}

func (o *tokenOptions) options() pkcs11.Options {
	return pkcs11.Options{
		Module: o.module, SHA256: o.sha256, InitArgs: o.initArgs, PINPad: o.pinPad, LastTry: o.lastTry,
		Token: pkcs11.Selector{Label: o.label, Serial: o.serial, Manufacturer: o.manufacturer, Model: o.model},
	}
}

// tokenStore gives the options of a key store of an estate.
func tokenStore(t *spec.Token, lastTry bool) pkcs11.Options {
	var idBytes uint
	if t.Capabilities != nil {
		idBytes = t.Capabilities.Token.IDBytes
	}
	return pkcs11.Options{
		Module: t.Module, SHA256: t.ModuleSHA256, InitArgs: t.InitArgs, PINPad: t.PINPad, LastTry: lastTry, IDBytes: idBytes,
		Token: pkcs11.Selector{Label: t.Label, Serial: t.Serial, Manufacturer: t.Manufacturer, Model: t.Model}, Deadline: testOnlyDeadline,
	}
}

// testOnlyDeadline is how long a call of a module may take; zero is what each
// call deserves. Tests of the command are less patient with a module that hangs.
var testOnlyDeadline time.Duration

// pinSource asks for a PIN when it is wanted. Its result is wiped by the
// caller.
type pinSource func(ctx context.Context) ([]byte, error)

// chosen gives the token that the arguments mean, and where its PIN comes
// from.
func (a *app) chosen(o *tokenOptions, args []string) (pkcs11.Options, pinSource, error) {
	if len(args) == 0 {
		if o.module == "" {
			return pkcs11.Options{}, nil, &usageError{errors.New("name a key store of the estate, or give --module FILE")}
		}
		return o.options(), func(ctx context.Context) ([]byte, error) { return readPIN(ctx, o.pinFile, "User PIN") }, nil
	}
	if o.module != "" || o.label != "" || o.serial != "" {
		return pkcs11.Options{}, nil, &usageError{errors.New("a key store of the estate and --module, --token or --serial name two tokens; give one")}
	}
	root, err := a.folder()
	if err != nil {
		return pkcs11.Options{}, nil, err
	}
	defer root.Close()
	estate, err := a.load(root, nil)
	if err != nil {
		return pkcs11.Options{}, nil, err
	}
	name := strings.TrimPrefix(args[0], "key_store.")
	i := slices.IndexFunc(estate.KeyStores, func(k *spec.KeyStore) bool { return k.Address.Name == name && k.Token != nil })
	if i < 0 {
		return pkcs11.Options{}, nil, fmt.Errorf("the estate has no key store %q on a token; pki validate shows what it has", name)
	}
	k := estate.KeyStores[i]
	return tokenStore(k.Token, o.lastTry), func(ctx context.Context) ([]byte, error) {
		if o.pinFile != "" {
			return readPIN(ctx, o.pinFile, "")
		}
		again, err := a.folder()
		if err != nil {
			return nil, err
		}
		defer again.Close()
		return a.keyStoreSecret(ctx, again, estate, k)
	}, nil
}

// maxPIN is above the longest PIN of any token known.
const maxPIN = 512

// readPIN reads a PIN from a file that is its owner's alone, or asks for it.
func readPIN(ctx context.Context, file, prompt string) ([]byte, error) {
	if file == "" {
		tty, err := terminal("the "+strings.ToLower(prompt[:1])+prompt[1:]+" is needed", "run the command on a terminal, or give a file with it")
		if err != nil {
			return nil, err
		}
		defer tty.Close()
		return hidden(ctx, tty, prompt)
	}
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxPIN {
		return nil, fmt.Errorf("%s is not a file with a PIN in it", file)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("others may read the PIN in %s; change its mode with chmod 600 %s", file, file)
	}
	text, err := os.ReadFile(file)
	return bytes.TrimRight(text, "\r\n"), err
}

// newPIN asks twice for a PIN that is chosen now.
func newPIN(ctx context.Context, file, prompt string) ([]byte, error) {
	pin, err := readPIN(ctx, file, prompt)
	if err != nil || file != "" {
		return pin, err
	}
	again, err := readPIN(ctx, "", prompt+" again")
	defer clear(again)
	if err == nil && !bytes.Equal(pin, again) {
		err = errors.New("the two PINs differ, and nothing was done; run the command again")
	}
	if err != nil {
		clear(pin)
		return nil, err
	}
	return pin, nil
}

func tokenListCommand(a *app) *cobra.Command {
	var o tokenOptions
	c := &cobra.Command{
		Use:   "list [KEY_STORE]",
		Short: "List the tokens that a module shows; needs no PIN",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			options, _, err := a.chosen(&o, args)
			if err != nil {
				return err
			}
			library, tokens, err := pkcs11.List(c.Context(), options)
			if err != nil {
				return err
			}
			if tokens == nil {
				tokens = []pkcs11.Token{}
			}
			result := map[string]any{"library": library, "tokens": tokens}
			return a.emit("token list", result, func(w io.Writer) {
				printLibrary(w, library)
				rows := []string{"Token\tSerial\tManufacturer\tModel\tPIN length\tState"}
				for _, t := range tokens {
					rows = append(rows, fmt.Sprintf("%s\t%s\t%s\t%s\t%d to %d\t%s", orDash(t.Label), orDash(t.Serial), orDash(t.Manufacturer), orDash(t.Model), t.MinPIN, t.MaxPIN, tokenState(t)))
				}
				table(w, rows...)
			})
		},
	}
	o.moduleFlags(c)
	return c
}

func orDash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

func printLibrary(w io.Writer, l pkcs11.Library) {
	fmt.Fprintf(w, "%s %s of %s, Cryptoki %s\n  %s\n  SHA-256 %s\n\n", l.Description, l.Version, l.Manufacturer, l.Cryptoki, l.Path, l.SHA256)
}

// tokenState says in words whether a token can be used.
func tokenState(t pkcs11.Token) string {
	var words []string
	switch {
	case !t.State.Initialized:
		words = append(words, "empty")
	case !t.State.UserPINSet:
		words = append(words, "no user PIN")
	default:
		words = append(words, "ready")
	}
	if t.State.PINPad {
		words = append(words, "PIN pad")
	}
	if t.State.WriteProtected {
		words = append(words, "write-protected")
	}
	return strings.Join(append(words, t.State.Warnings()...), ", ")
}

func tokenInspectCommand(a *app) *cobra.Command {
	var o tokenOptions
	c := &cobra.Command{
		Use:   "inspect [KEY_STORE]",
		Short: "Show what a token can do and what is on it",
		Long: `Shows a token's mechanisms and objects, half pairs and twins among them.
Without --login no PIN is used, and private keys are not seen.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return a.tokenInspect(c.Context(), &o, args) },
	}
	o.tokenFlags(c)
	o.pinFlags(c)
	c.Flags().BoolVar(&o.login, "login", false, "log in, to see private keys as well")
	return c
}

func (a *app) tokenInspect(ctx context.Context, o *tokenOptions, args []string) error {
	options, ask, err := a.chosen(o, args)
	if err != nil {
		return err
	}
	var pin []byte
	if o.login && !options.PINPad {
		if pin, err = ask(ctx); err != nil {
			return err
		}
		defer clear(pin)
	}
	found, err := pkcs11.Inspect(ctx, options, o.login, pin)
	if err != nil {
		return err
	}
	return a.emit("token inspect", found, func(w io.Writer) {
		printLibrary(w, found.Library)
		t := found.Token
		table(w, "Token\t"+t.Label, "Serial\t"+orDash(t.Serial), "Made by\t"+t.Manufacturer+" "+t.Model,
			"Versions\thardware "+t.Hardware+", firmware "+t.Firmware, fmt.Sprintf("PIN length\t%d to %d", t.MinPIN, t.MaxPIN), "State\t"+tokenState(t))
		var names []string
		for _, m := range found.Mechanisms {
			if !strings.HasPrefix(m.Name, "0x") {
				names = append(names, m.Name)
			}
		}
		slices.Sort(names)
		fmt.Fprintf(w, "\n%s, of which pki knows\n  %s\n\n", count(len(found.Mechanisms), "mechanism"), wrap(strings.Join(names, " "), a.width-2, "  "))
		if len(found.Objects) == 0 {
			fmt.Fprintln(w, "No objects"+map[bool]string{true: ".", false: " that are seen without --login."}[found.LoggedIn])
			return
		}
		rows := []string{"Object\tLabel\tId\tKey\tNote"}
		for _, one := range found.Objects {
			rows = append(rows, fmt.Sprintf("%s\t%s\t%s\t%s\t%s", one.Class, orDash(one.Label), orDash(one.ID), orDash(one.Key), one.Note))
		}
		table(w, rows...)
		rows = nil
		for _, one := range found.Objects {
			if one.Class == "private key" {
				rows = append(rows, fmt.Sprintf("  %s\t%s", orDash(one.Label), one.Says()))
			}
		}
		if len(rows) > 0 {
			fmt.Fprintln(w, "\nWhat the token says of its private keys:")
			table(w, rows...)
		}
		if !found.LoggedIn {
			fmt.Fprintln(w, "\nPrivate keys are seen with --login only.")
		}
	})
}

func tokenInitCommand(a *app) *cobra.Command {
	var o tokenOptions
	c := &cobra.Command{
		Use:   "init --label NAME",
		Short: "Make an empty token ready: label, security officer's PIN, user PIN",
		Long: `Initialises the one empty token that the module shows. A token that was ever
initialised is refused, because initialising destroys whatever is on it. Both
PINs are asked for twice, or read from files of mode 0600.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.tokenInit(c.Context(), &o) },
	}
	o.moduleFlags(c)
	c.Flags().StringVar(&o.newer, "label", "", "what the token is to be called, at most 32 bytes")
	c.Flags().StringVar(&o.serial, "serial", "", "serial number, when several tokens are empty")
	c.Flags().StringVar(&o.pinFile, "pin-file", "", "file with the new user PIN, mode 0600")
	c.Flags().StringVar(&o.officerPINFile, "so-pin-file", "", "file with the new security officer's PIN, mode 0600")
	return c
}

func (a *app) tokenInit(ctx context.Context, o *tokenOptions) error {
	if o.module == "" || o.newer == "" {
		return &usageError{errors.New("--module and --label are needed; see pki token init --help")}
	}
	officer, err := newPIN(ctx, o.officerPINFile, "Security officer's PIN")
	if err != nil {
		return err
	}
	defer clear(officer)
	pin, err := newPIN(ctx, o.pinFile, "User PIN")
	if err != nil {
		return err
	}
	defer clear(pin)
	token, err := pkcs11.Init(ctx, o.options(), o.newer, officer, pin)
	if err != nil {
		return err
	}
	return a.emit("token init", token, func(w io.Writer) {
		fmt.Fprintf(w, "Token %s is ready.\n\nName it in the estate:\n\n  key_store \"pkcs11\" \"NAME\" {\n    module = %q\n    token  = %q\n    serial = %q\n    pin    = secret.NAME\n  }\n",
			token, o.module, token.Label, token.Serial)
	})
}

func tokenTestCommand(a *app) *cobra.Command {
	var o tokenOptions
	c := &cobra.Command{
		Use:   "test [KEY_STORE]",
		Short: "Try every algorithm on a token, and try to get a key out of it",
		Long: `Lets a token make a throw-away key of each algorithm and sign with it, and tries
to read and to wrap a key that must not leave. The keys live in a session and
are gone afterwards. With --out the result is a capability file; a key store
that names it with capabilities = "FILE" is held against it when plans are made.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return a.tokenTest(c.Context(), &o, args) },
	}
	o.tokenFlags(c)
	o.pinFlags(c)
	c.Flags().StringVar(&o.out, "out", "", "new file for the result, such as hsm/root.json")
	return c
}

func (a *app) tokenTest(ctx context.Context, o *tokenOptions, args []string) error {
	options, ask, err := a.chosen(o, args)
	if err != nil {
		return err
	}
	if o.out != "" { // a test takes minutes on some tokens
		if _, err := os.Lstat(o.out); err == nil {
			return takenName(o.out)
		}
		if info, err := os.Stat(filepath.Dir(o.out)); err != nil || !info.IsDir() {
			return fmt.Errorf("there is no folder %s to write to; make it, or name another file", filepath.Dir(o.out))
		}
	}
	var pin []byte
	if !options.PINPad {
		if pin, err = ask(ctx); err != nil {
			return err
		}
		defer clear(pin)
	}
	result, err := pkcs11.Test(ctx, options, pin)
	if err != nil {
		return err
	}
	if o.out != "" {
		if err := writeCapabilities(o.out, result); err != nil {
			return err
		}
	}
	return a.emit("token test", result, func(w io.Writer) {
		t := result.Token
		fmt.Fprintf(w, "Token %q, serial %q, %s %s\n\n", t.Label, t.Serial, t.Manufacturer, t.Model)
		var rows []string
		for _, c := range result.Algorithms {
			word := "works: a key was made, and its signature verifies"
			if !c.Works {
				word = "does not work: " + c.Why
			}
			rows = append(rows, "  "+c.Algorithm.Title()+"\t"+word)
		}
		table(w, rows...)
		printCopies(w, result, a.width)
		fmt.Fprintf(w, "\nTrying to get a key out:\n")
		rows = nil
		for _, c := range result.Confinement {
			rows = append(rows, "  "+c.Attempt+"\t"+c.Outcome+"\t"+c.Answer)
		}
		table(w, rows...)
		for _, note := range result.Observations {
			fmt.Fprintf(w, "\n%s\n", wrap("Note: "+note+".", a.width, "  "))
		}
		if o.out != "" {
			fmt.Fprintf(w, "\nWritten: %s\n", o.out)
		}
	})
}

// printCopies says of which keys a backup can be made by wrapping them.
// Algorithms of which the same is to be said stand together.
func printCopies(w io.Writer, c *spec.Capabilities, width int) {
	names := map[string][]string{}
	var said []string
	for _, a := range c.Algorithms {
		text := a.Copies
		if a.NoCopies != "" {
			text = "no way:\n      " + strings.ReplaceAll(a.NoCopies, "; ", "\n      ")
		}
		if text == "" {
			continue
		}
		if names[text] == nil {
			said = append(said, text)
		}
		names[text] = append(names[text], a.Algorithm.Title())
	}
	if len(said) > 0 {
		fmt.Fprintf(w, "\nBacking a key up, by wrapping it and unwrapping it again:\n")
	}
	for _, text := range said {
		fmt.Fprintf(w, "  %s\n    %s\n", wrap(strings.Join(names[text], ", "), width-2, "  "), text)
	}
}

func takenName(name string) error {
	return fmt.Errorf("%s is already there; name a new file, or move it away", name)
}

// writeCapabilities writes a capability file and never over another.
func writeCapabilities(name string, c *spec.Capabilities) error {
	text, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return takenName(name)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}
