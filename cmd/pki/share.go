package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"pki.internal/ceremony"
	"pki.internal/shamir"
)

func shareCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "share",
		Short: "Split a secret among people, check their shares, and get it back",
		Long: `A secret is split into shares for named holders. Any threshold of them give it
back; fewer give nothing. A set's public record, set.json, lets each share be
checked alone. A secret is never an argument and never shown: it comes from
standard input, or is generated, and goes to standard output or a new file.

  pki share split --threshold 2 --holder alice --holder bob --holder carol \
      --purpose root_pin --generate 32 --out shares
  pki share print shares/share-*.json --out sheets.html
  pki share verify --set shares/set.json shares/share-1-alice.json
  pki share combine shares/share-1-alice.json --type > secret`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if err := knownCommand(c, args); err != nil {
				return &usageError{fmt.Errorf("%w; see pki share --help", err)}
			}
			return c.Help()
		},
	}
	c.AddCommand(shareSplitCommand(a), shareCombineCommand(a), shareVerifyCommand(a), sharePrintCommand(a), shareReshareCommand(a), shareDrillCommand(a))
	return c
}

// shareSource says where shares come from; most verbs take it.
type shareSource struct {
	files      []string
	identities []string // files of age identities
	typed      bool     // ask for words on the terminal, too
	record     string   // file of the set's record
	secret     string   // of the estate, whose set is in the ledger
}

func (o *shareSource) flags(c *cobra.Command) {
	c.Flags().StringArrayVar(&o.identities, "identity", nil, "file of age identities that open encrypted shares; may be repeated")
	c.Flags().BoolVar(&o.typed, "type", false, "ask for shares in words on the terminal, until there are enough")
	o.recordFlags(c)
}

func (o *shareSource) recordFlags(c *cobra.Command) {
	c.Flags().StringVar(&o.record, "set", "", "the set's public record, set.json; every share is checked against it")
	c.Flags().StringVar(&o.secret, "secret", "", "a secret of the estate: its set in the ledger is the record")
}

// recordOf reads the record, if one was named.
func (a *app) recordOf(o *shareSource) (*shamir.Scheme, error) {
	if o.secret != "" && o.record != "" {
		return nil, &usageError{errors.New("--set and --secret both name a record; give one")}
	}
	if o.secret != "" {
		_, scheme, err := a.setInForce(o.secret)
		return scheme, err
	}
	if o.record == "" {
		return nil, nil
	}
	text, err := readShareFile(o.record)
	if err != nil {
		return nil, aboutShare(o.record, err)
	}
	set, err := shamir.ReadSet(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.record, refuseShares(&shamir.Fault{Kind: shamir.ErrUnknown, Fact: "it is not the record of a set: " + err.Error(), Next: "give the set.json that was written with the shares"}))
	}
	return &shamir.Scheme{Top: set}, nil
}

// heldShare is a share and where it was read.
type heldShare struct {
	*shamir.Share
	from        string
	corrections []shamir.Correction
	form        string // words, qr, json or age
}

// shares gives the bare shares.
func bare(held []heldShare) []*shamir.Share {
	shares := make([]*shamir.Share, 0, len(held))
	for _, h := range held {
		shares = append(shares, h.Share)
	}
	return shares
}

func wipeShares(held []heldShare) {
	for _, h := range held {
		h.Wipe()
	}
}

// readShareFile reads a file of limited size; "-" is standard input.
func readShareFile(name string) ([]byte, error) {
	var in io.Reader = os.Stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	return shamir.ReadFrom(in)
}

// aboutShare says which file an error is about, unless it says so itself.
func aboutShare(name string, err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return err
	}
	return fmt.Errorf("%s: %w", name, refuseShares(err))
}

// readShares reads the shares from files, one to a file, in any form. On
// an error it wipes what it has.
func (a *app) readShares(ctx context.Context, o shareSource) ([]heldShare, error) {
	ids, err := readIdentities(ctx, o.identities)
	if err != nil {
		return nil, err
	}
	var held []heldShare
	for _, name := range o.files {
		one, err := readShare(name, ids)
		if err != nil {
			wipeShares(held)
			return nil, aboutShare(name, err)
		}
		held = append(held, one)
		a.sayCorrections(one)
	}
	return held, nil
}

func readShare(name string, ids shamir.Identities) (heldShare, error) {
	text, err := readShareFile(name)
	if err != nil {
		return heldShare{}, err
	}
	defer clear(text)
	var r *shamir.Reading
	encrypted := shamir.IsEncrypted(text) && len(ids) > 0
	if encrypted {
		r, err = shamir.Decrypt(text, ids)
	} else {
		r, err = shamir.Read(text)
	}
	if err != nil {
		return heldShare{}, err
	}
	h := heldShare{r.Share, name, r.Corrections, string(r.Form)}
	if encrypted {
		h.form = "age"
	}
	return h, nil
}

func (a *app) sayCorrections(h heldShare) {
	for _, c := range h.corrections {
		if !a.json {
			fmt.Fprintf(a.stderr, "%s\n", wrap(fmt.Sprintf("%s %s: %s: %s; compare it with the sheet", a.paint(yellow, "Warning:"), h.from, h.Label(), c), a.width, "  "))
		}
	}
}

func readIdentities(ctx context.Context, names []string) (shamir.Identities, error) {
	var all shamir.Identities
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		ids, err := shamir.ParseIdentities(text, atTerminal(ctx))
		clear(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, ids...)
	}
	return all, nil
}

// atTerminal lets an age plugin talk to the holder.
func atTerminal(ctx context.Context) shamir.Person {
	return shamir.Person{
		Show: func(text string) {
			if tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0); err == nil {
				fmt.Fprintln(tty, text)
				tty.Close()
			}
		},
		Ask: func(prompt string, secret bool) (string, error) {
			tty, err := terminal("an age plugin asks for something", "run the command on a terminal")
			if err != nil {
				return "", err
			}
			defer tty.Close()
			if secret {
				answer, err := hidden(ctx, tty, prompt)
				return string(answer), err
			}
			fmt.Fprintf(tty, "%s: ", prompt)
			line, err := readLine(ctx, tty)
			return strings.TrimSpace(line), err
		},
	}
}

// typeShares asks for shares in words until enough says stop. What is typed
// is not shown, and each line is checked before the next is asked for.
func (a *app) typeShares(ctx context.Context, held []heldShare, enough func([]heldShare) bool) ([]heldShare, error) {
	for !enough(held) {
		tty, err := terminal("a share must be typed", "run the command on a terminal, or give files")
		if err != nil {
			return held, err
		}
		one, err := typeShare(ctx, tty, len(held)+1)
		tty.Close()
		if err != nil {
			return held, err
		}
		held = append(held, one)
	}
	return held, nil
}

func typeShare(ctx context.Context, tty *os.File, number int) (heldShare, error) {
	fmt.Fprintf(tty, "\nShare %d: type its words line by line; they are not shown. Four letters of\neach word are enough, ? stands for one that cannot be read, and an empty line\nends the command. A scanner that types may read the code instead; a share in a\nfile is given as @ and the file's name.\n", number)
	var t shamir.Transcript
	defer t.Wipe()
	for t.Next() > 0 {
		prompt := fmt.Sprintf("  line %d", t.Next())
		if lines, known := t.Lines(); known {
			prompt += fmt.Sprintf(" of %d", lines)
		}
		text, err := hidden(ctx, tty, prompt)
		if err != nil && !errors.Is(err, io.EOF) {
			return heldShare{}, err
		}
		if len(strings.TrimSpace(string(text))) == 0 {
			return heldShare{}, &personError{wanted: fmt.Sprintf("share %d was not typed to its end", number), next: "run the command again with the sheet at hand"}
		}
		var fault *shamir.Fault
		if name, isFile := strings.CutPrefix(strings.TrimSpace(string(text)), "@"); isFile && t.Next() == 1 {
			one, err := shareFromFile(ctx, tty, name)
			if errors.As(err, &fault) || errors.Is(err, fs.ErrNotExist) {
				fmt.Fprintf(tty, "    %s; give it again.\n", err)
				continue
			}
			if err == nil {
				fmt.Fprintf(tty, "  %s of set %s is read.\n", one.Label(), one.Set)
			}
			return one, err
		}
		if t.Next() == 1 && shamir.IsQR(text) {
			r, err := shamir.Read(text)
			clear(text)
			if errors.As(err, &fault) {
				fmt.Fprintf(tty, "    %s; scan it again.\n", fault.Fact)
				continue
			}
			fmt.Fprintf(tty, "  %s of set %s is read.\n", r.Share.Label(), r.Share.Set)
			return heldShare{r.Share, "scanned", nil, string(shamir.FormQR)}, nil
		}
		corrections, err := t.Add(string(text))
		clear(text)
		if errors.As(err, &fault) {
			fmt.Fprintf(tty, "    %s; %s, and type it again.\n", fault.Fact, fault.Next)
			continue
		}
		for _, c := range corrections {
			fmt.Fprintf(tty, "    word %d was read as %q; compare it with the sheet.\n", c.Word, c.As)
		}
	}
	s, corrections, err := t.Share()
	if err != nil {
		return heldShare{}, refuseShares(err)
	}
	if len(corrections) > 0 {
		// The screen shows words of the share, and the next holder comes.
		fmt.Fprint(tty, "  Correct the sheet, then press Enter; the screen is wiped. ")
		if _, err := readLine(ctx, tty); err != nil {
			return heldShare{}, err
		}
		fmt.Fprint(tty, wipeScreen)
	}
	fmt.Fprintf(tty, "  %s of set %s is read.\n", s.Label(), s.Set)
	return heldShare{s, "typed", corrections, string(shamir.FormWords)}, nil
}

// shareFromFile reads the share of a holder who brings it as a file, and asks
// for the identity that opens it when it is encrypted.
func shareFromFile(ctx context.Context, tty *os.File, name string) (heldShare, error) {
	one, err := readShare(name, nil)
	if !errors.Is(err, shamir.ErrEncrypted) {
		return one, err
	}
	fmt.Fprint(tty, "  It is encrypted. File with the holder's age identity: ")
	line, err := readLine(ctx, tty)
	if err != nil {
		return heldShare{}, err
	}
	ids, err := readIdentities(ctx, []string{strings.TrimSpace(line)})
	if err != nil {
		return heldShare{}, err
	}
	return readShare(name, ids)
}

// refuseShares makes what is wrong with shares a refusal with a next step;
// an encrypted share without an identity needs a person.
func refuseShares(err error) error {
	var fault *shamir.Fault
	switch {
	case !errors.As(err, &fault):
		return err
	case errors.Is(err, shamir.ErrEncrypted):
		return &personError{wanted: fault.Error(), next: fault.Next}
	}
	return &ceremony.Refusal{Fact: fault.Error(), Next: fault.Next}
}

// secretInput reads a secret that exists from standard input, to the byte; on
// a terminal it is asked for twice and not shown.
func secretInput(ctx context.Context) ([]byte, error) {
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		secret, err := io.ReadAll(io.LimitReader(os.Stdin, shamir.MaxSecret+1))
		if err != nil {
			return nil, fmt.Errorf("reading the secret: %w", err)
		}
		return secret, nil
	}
	tty, err := terminal("the secret is needed", "give it on standard input")
	if err != nil {
		return nil, err
	}
	defer tty.Close()
	secret, err := hidden(ctx, tty, "The secret")
	if err != nil {
		return nil, err
	}
	again, err := hidden(ctx, tty, "The same again")
	if err != nil {
		return nil, err
	}
	defer clear(again)
	if string(secret) != string(again) {
		clear(secret)
		return nil, fmt.Errorf("the two secrets differ, and nothing was split; run the command again")
	}
	return secret, nil
}

// looksLikeShares tells a share or a set's record from the other files that
// pki show takes.
func looksLikeShares(text []byte) bool {
	if _, err := shamir.ReadSet(text); err == nil {
		return true
	}
	r, err := shamir.Read(text)
	if err == nil {
		r.Share.Wipe()
	}
	return err == nil
}

// showShares says what a share or a record is. What a share holds is never
// shown.
func (a *app) showShares(name string, text []byte) error {
	if set, err := shamir.ReadSet(text); err == nil {
		fields := []field{{"Set", set.ID().String()}, {"For", set.Purpose}, {"Needed", fmt.Sprintf("%d of %d", set.Threshold, len(set.Members))}}
		if set.Replaces != nil {
			fields = append(fields, field{"Replaces", set.Replaces.String()})
		}
		for _, m := range set.Members {
			fields = append(fields, field{fmt.Sprintf("Share %d", m.Index), m.Holder})
		}
		s := shown{Kind: "Record of a set of shares", SHA256: sha256Hex(text), Fields: fields, Note: "It is public, and proves shares: pki share verify --set FILE."}
		return a.emit("show", []shown{s}, func(w io.Writer) { printShown(w, s) })
	}
	r, err := shamir.Read(text)
	if err != nil {
		return fmt.Errorf("%s: %w", name, refuseShares(err))
	}
	defer r.Share.Wipe()
	a.sayCorrections(heldShare{r.Share, name, r.Corrections, string(r.Form)})
	s := map[string]any{"kind": "Share", "set": r.Share.Set.String(), "purpose": r.Share.Purpose, "threshold": r.Share.Threshold, "count": r.Share.Count, "index": r.Share.Index, "holder": r.Share.Holder}
	return a.emit("show", []any{s}, func(w io.Writer) {
		fmt.Fprintf(w, "Share, not encrypted\n\n")
		table(w, "  Set\t"+r.Share.Set.String(), "  For\t"+r.Share.Purpose, fmt.Sprintf("  Share\t%d of %d, %d are needed", r.Share.Index, r.Share.Count, r.Share.Threshold), "  Holder\t"+r.Share.Holder)
		fmt.Fprintf(w, "\n  The file is as secret as the share in it.\n")
	})
}
