package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"pki.internal/plan"
	"pki.internal/shamir"
)

// dealing is how a set is made and handed out; split and reshare take it.
type dealing struct {
	threshold, shares int
	holders           []string
	recipients        []string
	form              string
	out               string
}

func (o *dealing) flags(c *cobra.Command) {
	c.Flags().IntVar(&o.threshold, "threshold", 0, fmt.Sprintf("how many shares give the secret, at least %d", shamir.MinThreshold))
	c.Flags().IntVar(&o.shares, "shares", 0, fmt.Sprintf("how many shares there are, at most %d; may be left out when holders are named", shamir.MaxShares))
	c.Flags().StringArrayVar(&o.holders, "holder", nil, "who gets a share; once for each, in order")
	c.Flags().StringArrayVar(&o.recipients, "recipient", nil, "age recipient that a share is encrypted to; once for each holder, in order")
	c.Flags().StringVar(&o.form, "form", string(shamir.FormJSON), "json, words or qr; of shares that are not encrypted")
	c.Flags().StringVar(&o.out, "out", "", "new folder for the shares and the set's record")
}

// policy checks the flags before any secret is read.
func (o *dealing) policy(ctx context.Context, purpose string) (shamir.Policy, []shamir.Recipient, error) {
	usage := func(format string, args ...any) (shamir.Policy, []shamir.Recipient, error) {
		return shamir.Policy{}, nil, &usageError{fmt.Errorf(format, args...)}
	}
	if o.out == "" {
		return usage("--out DIR is needed: the folder that the shares are written to")
	}
	if o.threshold < shamir.MinThreshold {
		return usage("--threshold is needed, %d or more: how many shares give the secret", shamir.MinThreshold)
	}
	holders := o.holders
	switch {
	case len(holders) == 0 && o.shares == 0:
		return usage("say who gets a share: --holder NAME for each, or --shares N")
	case len(holders) > 0 && o.shares > 0 && o.shares != len(holders):
		return usage("--shares %d and %s do not fit", o.shares, count(len(holders), "holder"))
	case o.shares > shamir.MaxShares:
		return usage("--shares %d: %d are the most", o.shares, shamir.MaxShares)
	case o.shares < 0:
		return usage("--shares %d: it is a number of people", o.shares)
	case len(holders) == 0:
		for i := range o.shares {
			holders = append(holders, fmt.Sprintf("holder %d", i+1))
		}
	}
	if o.threshold > len(holders) {
		return usage("--threshold %d is more than %s", o.threshold, count(len(holders), "share"))
	}
	if len(o.recipients) > 0 && len(o.recipients) != len(holders) {
		return usage("%s and %s: give one recipient for each holder, or none", count(len(o.recipients), "recipient"), count(len(holders), "holder"))
	}
	if f := shamir.Form(o.form); f != shamir.FormJSON && f != shamir.FormWords && f != shamir.FormQR {
		return usage("--form %s: it is json, words or qr", o.form)
	}
	var to []shamir.Recipient
	for i, text := range o.recipients {
		r, err := shamir.ParseRecipient(text, atTerminal(ctx))
		if err != nil {
			return usage("recipient of %s: %w", holders[i], err)
		}
		to = append(to, r)
	}
	return shamir.Policy{Threshold: o.threshold, Holders: holders, Purpose: purpose}, to, nil
}

// handed is one share as it was written.
type handed struct {
	Index     int    `json:"index"`
	Holder    string `json:"holder"`
	File      string `json:"file"`
	Recipient string `json:"recipient,omitempty"`
}

// dealt is a set that was written to a folder.
type dealt struct {
	Set       string   `json:"set"`
	Purpose   string   `json:"purpose"`
	Threshold int      `json:"threshold"`
	Shares    []handed `json:"shares"`
	Record    string   `json:"record"`
	Entropy   int      `json:"entropy_bits,omitempty"`
	Replaces  string   `json:"replaces,omitempty"`
}

// deal splits a secret and writes the set. Nothing is written before every
// share is made, proven and encrypted.
func (o *dealing) deal(secret []byte, p shamir.Policy, to []shamir.Recipient, replaces *shamir.SetID) (*dealt, error) {
	set, shares, err := shamir.Split(rand.Reader, secret, p)
	if err != nil {
		return nil, err
	}
	defer func() {
		for _, s := range shares {
			s.Wipe()
		}
	}()
	set.Replaces = replaces
	result := &dealt{Set: set.ID().String(), Purpose: p.Purpose, Threshold: p.Threshold, Record: o.out + "/set.json"}
	if replaces != nil {
		result.Replaces = replaces.String()
	}
	var files []plan.File
	for i, s := range shares {
		file, h, err := o.file(s, i, to)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.Label(), err)
		}
		files, result.Shares = append(files, file), append(result.Shares, h)
	}
	defer func() {
		for _, f := range files[:len(shares)] {
			clear(f.Data)
		}
	}()
	files = append(files, plan.File{Path: "set.json", Data: set.Encode(), Mode: 0o644})
	root, err := newFolder(o.out)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	for _, f := range files {
		if err := (folderFiles{root}).Write(f); err != nil {
			return nil, err
		}
	}
	return result, nil
}

// file gives a share as the file that its holder gets.
func (o *dealing) file(s *shamir.Share, i int, to []shamir.Recipient) (plan.File, handed, error) {
	h := handed{Index: s.Index, Holder: s.Holder}
	name := fmt.Sprintf("share-%d%s", s.Index, fileWords(s.Holder))
	var text []byte
	var err error
	if len(to) > 0 {
		name, h.Recipient = name+".age", to[i].String()
		text, err = s.Encrypt(to[i])
	} else {
		name += map[shamir.Form]string{shamir.FormJSON: ".json", shamir.FormWords: ".txt", shamir.FormQR: ".qr.txt"}[shamir.Form(o.form)]
		text, err = s.Write(shamir.Form(o.form))
	}
	h.File = o.out + "/" + name
	return plan.File{Path: name, Data: text, Mode: 0o600}, h, err
}

// fileWords gives a holder's name as part of a file's: its letters and digits.
func fileWords(holder string) string {
	words := strings.FieldsFunc(holder, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	if len(words) == 0 {
		return ""
	}
	return "-" + strings.Join(words, "-")
}

// newFolder makes a folder, or takes one that is empty.
func newFolder(name string) (*os.Root, error) {
	if err := os.Mkdir(name, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	entries, err := fs.ReadDir(root.FS(), ".")
	if err == nil && len(entries) > 0 {
		err = refuseShares(&shamir.Fault{Fact: fmt.Sprintf("%s is not empty, and shares are never overwritten", name), Next: "name a new folder with --out"})
	}
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return root, nil
}

func shareSplitCommand(a *app) *cobra.Command {
	var o dealing
	var purpose string
	var generate int
	var dice bool
	c := &cobra.Command{
		Use:   "split",
		Short: "Split a secret from standard input, or a generated one, into shares",
		Long: `Split the secret on standard input, to the byte, or one that is generated here
and that nobody ever sees. With --recipient each share is written as an age
file for its holder; without it shares lie in the folder for everyone who can
read it: print them or hand them over, and destroy the files.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			p, to, err := o.policy(c.Context(), purpose)
			if err != nil {
				return err
			}
			made := c.Flags().Changed("generate")
			if dice && !made {
				return &usageError{fmt.Errorf("--dice belongs to --generate")}
			}
			if made && generate < shamir.MinGenerated || generate > shamir.MaxSecret {
				return &usageError{fmt.Errorf("--generate %d: from %d characters (%d bits) to %d", generate, shamir.MinGenerated, shamir.Entropy(shamir.MinGenerated), shamir.MaxSecret)}
			}
			return a.split(c.Context(), o, p, to, generate, dice)
		},
	}
	o.flags(c)
	c.Flags().StringVar(&purpose, "purpose", "secret", "what the secret is for; it stands in every share and combine can insist on it")
	c.Flags().IntVar(&generate, "generate", 0, fmt.Sprintf("generate the secret: so many characters of 5 bits each, at least %d", shamir.MinGenerated))
	c.Flags().BoolVar(&dice, "dice", false, "ask for throws of dice or coins and mix them into a generated secret")
	return c
}

func (a *app) split(ctx context.Context, o dealing, p shamir.Policy, to []shamir.Recipient, generate int, dice bool) error {
	secret, err := makeOrRead(ctx, generate, dice)
	if err != nil {
		return err
	}
	defer clear(secret)
	result, err := o.deal(secret, p, to, nil)
	if err != nil {
		return err
	}
	if generate > 0 {
		result.Entropy = shamir.Entropy(generate)
	}
	return a.emit("share split", result, func(w io.Writer) {
		if generate > 0 {
			fmt.Fprintf(w, "A secret of %d bits was generated. ", result.Entropy)
		}
		printDealt(w, result)
		fmt.Fprintf(w, "\nNext:\n")
		for _, step := range handOut(result, len(to) > 0) {
			fmt.Fprintf(w, "  - %s\n", wrap(step, a.width-4, "    "))
		}
	})
}

func makeOrRead(ctx context.Context, generate int, dice bool) ([]byte, error) {
	if generate == 0 {
		return secretInput(ctx)
	}
	var thrown []byte
	if dice {
		tty, err := terminal("throws of dice are asked for", "leave --dice out")
		if err != nil {
			return nil, err
		}
		defer tty.Close()
		if thrown, err = askThrows(ctx, tty); err != nil {
			return nil, err
		}
		defer clear(thrown)
	}
	return shamir.Generate(rand.Reader, generate, thrown)
}

func printDealt(w io.Writer, d *dealt) {
	fmt.Fprintf(w, "Set %s: any %d of %d shares give the secret for %s.\n\n", d.Set, d.Threshold, len(d.Shares), d.Purpose)
	var rows []string
	for _, h := range d.Shares {
		how := "not encrypted"
		if h.Recipient != "" {
			how = fmt.Sprintf("for %.24s…", h.Recipient)
		}
		rows = append(rows, fmt.Sprintf("  %d\t%s\t%s\t%s", h.Index, h.Holder, h.File, how))
	}
	table(w, append(rows, "  \tthe public record\t"+d.Record)...)
}

// handOut says what remains to be done by people.
func handOut(d *dealt, encrypted bool) []string {
	steps := []string{"Give every holder the share, one at a time, and have each prove it: pki share verify --set " + d.Record + " FILE, or --type from paper."}
	if !encrypted {
		steps = append([]string{"Print the shares, or show them one at a time: pki share print FILE… --out sheets.html, or --screen."}, steps...)
		steps = append(steps, "Destroy the share files here: they are not encrypted, and "+fmt.Sprint(d.Threshold)+" of them are the secret.")
	}
	return append(steps, "Use the secret for nothing that cannot be undone before all of them are proven. Keep "+d.Record+" for as long as the shares; it is not secret.")
}
