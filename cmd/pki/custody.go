package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"pki.internal/ceremony"
	"pki.internal/ceremony/ledger"
	"pki.internal/plan"
	"pki.internal/shamir"
	"pki.internal/spec"
)

// custody is where custodians get and give shares: at the terminal, one at a
// time, or in a lab from files that stand for them.
type custody struct {
	app        *app
	root       *os.Root // the estate's folder
	sheets     string   // folder for pages to print; empty to show words on the screen
	files      []string // of shares, as given on the command line
	identities []string // that open them
	read       []heldShare
	opened     bool // the files have been read
	resumed    bool // the ceremony goes on
}

// close forgets the shares that were read and not used.
func (c *custody) close() { wipeShares(c.read) }

// shareFolder is where the shares of a set that are files lie until their
// holders take them away.
func shareFolder(scheme *shamir.Scheme) string {
	_, name, _ := strings.Cut(scheme.Top.Purpose, "/")
	return fmt.Sprintf("shares/%s-%.8s", name, scheme.Top.ID())
}

func shareFile(scheme *shamir.Scheme, number int) string {
	_, m := scheme.At(number)
	return fmt.Sprintf("%s/share-%d%s.age", shareFolder(scheme), number, fileWords(m.Holder))
}

// Throws asks for throws of dice or coins.
func (c *custody) Throws(ctx context.Context, a plan.Action) ([]byte, error) {
	tty, err := terminal("throws of dice for "+a.Address.String()+" are asked for", "run the command on a terminal")
	if err != nil {
		return nil, err
	}
	defer tty.Close()
	fmt.Fprintf(tty, "      Throw dice or coins for %s; 50 throws of a die are 129 bits. They are mixed\n      with the machine's randomness and never replace it.\n", a.Address)
	return askThrows(ctx, tty)
}

// askThrows reads throws, which are not shown.
func askThrows(ctx context.Context, tty *os.File) ([]byte, error) {
	for {
		thrown, err := hidden(ctx, tty, "Throws, as many as you like (not shown)")
		if err != nil || len(strings.TrimSpace(string(thrown))) > 0 {
			return thrown, err
		}
		fmt.Fprintln(tty, "    nothing was thrown; throw at least once.")
	}
}

// HandOut gives a share to its holder and has it read back.
func (c *custody) HandOut(ctx context.Context, scheme *shamir.Scheme, share *shamir.Share, to plan.Holder) (ceremony.Handed, error) {
	number, err := scheme.Find(share)
	if err != nil {
		return ceremony.Handed{}, err
	}
	if c.resumed && number == 1 {
		fmt.Fprintf(c.app.stderr, "      Shares for %s that were handed out before the interruption never came into\n      force. Collect them and destroy them, paper and files in shares/; these are set\n      %s.\n", scheme.Top.Purpose, scheme.Top.ID())
	}
	switch {
	case to.Identity != "":
		return c.handLab(scheme, share, number, to)
	case to.Recipient != "":
		r, err := shamir.ParseRecipient(to.Recipient, atTerminal(ctx))
		if err != nil {
			return ceremony.Handed{}, fmt.Errorf("%s: %w", to.Name, err)
		}
		name, err := c.writeShare(scheme, share, number, r)
		if err != nil {
			return ceremony.Handed{}, err
		}
		return c.proveAtTerminal(ctx, scheme, share, to, plan.HandedFile, fmt.Sprintf("The file is %s; it opens for %s alone.\nCopy it to a medium of the holder's own.", path.Join(c.app.dir, name), to.Name), nil)
	case c.sheets != "":
		name, err := c.writeSheet(share)
		if err != nil {
			return ceremony.Handed{}, err
		}
		return c.proveAtTerminal(ctx, scheme, share, to, plan.HandedSheet, fmt.Sprintf("The sheet is in %s. Print it, on both sides, and give it\nto %s; it is destroyed here when the share is proven.", name, to.Name), func() error { return os.Remove(name) })
	}
	return c.proveAtTerminal(ctx, scheme, share, to, plan.HandedScreen, "", nil)
}

// handLab lets a file of an identity stand for the holder.
func (c *custody) handLab(scheme *shamir.Scheme, share *shamir.Share, number int, to plan.Holder) (ceremony.Handed, error) {
	ids, err := c.identity(to)
	if err != nil {
		return ceremony.Handed{}, err
	}
	r, err := ids.Recipient()
	if err != nil {
		return ceremony.Handed{}, fmt.Errorf("%s: %w", to.Identity, err)
	}
	if _, err := c.writeShare(scheme, share, number, r); err != nil {
		return ceremony.Handed{}, err
	}
	back, err := c.readLab(scheme, number, to)
	if err == nil {
		fmt.Fprintf(c.app.stderr, "      %s: encrypted, read back with %s, proven\n", back.Label(), to.Identity)
	}
	return ceremony.Handed{Share: back, How: plan.HandedFile, ReadBack: "age"}, err
}

func (c *custody) identity(h plan.Holder) (shamir.Identities, error) {
	text, err := c.root.ReadFile(h.Identity)
	if err != nil {
		return nil, &personError{wanted: fmt.Sprintf("%s, which stands for %s, is not there", h.Identity, h.Name), next: "make it with age-keygen -o " + h.Identity + ", or ask the holder"}
	}
	defer clear(text)
	ids, err := shamir.ParseIdentities(text, shamir.Person{})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", h.Identity, err)
	}
	return ids, nil
}

// readLab reads the share of a holder whom a file stands for.
func (c *custody) readLab(scheme *shamir.Scheme, number int, h plan.Holder) (*shamir.Share, error) {
	ids, err := c.identity(h)
	if err != nil {
		return nil, err
	}
	name := shareFile(scheme, number)
	f, err := c.root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := shamir.ReadFrom(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	r, err := shamir.Decrypt(text, ids)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, refuseShares(err))
	}
	return r.Share, nil
}

func (c *custody) writeShare(scheme *shamir.Scheme, share *shamir.Share, number int, to shamir.Recipient) (string, error) {
	text, err := share.Encrypt(to)
	if err != nil {
		return "", err
	}
	name := shareFile(scheme, number)
	if _, err := c.root.Lstat(name); err == nil {
		return "", &ceremony.Refusal{Fact: name + " is already there, and shares are never overwritten", Next: "move it away"}
	}
	return name, folderFiles{c.root}.Write(plan.File{Path: name, Data: text, Mode: 0o600})
}

// writeSheet makes the page of one share, in the folder for the printer.
func (c *custody) writeSheet(share *shamir.Share) (string, error) {
	s, err := sheetOf(share)
	if err != nil {
		return "", err
	}
	name := path.Join(c.sheets, fmt.Sprintf("sheet-%.8s-%d%s.html", share.Set, share.Index, fileWords(share.Holder)))
	return name, writePage(name, []sheet{s})
}

// proveAtTerminal has one holder take the share and prove it. Nobody else may
// look. given says how the holder got it; without it the words are shown.
func (c *custody) proveAtTerminal(ctx context.Context, scheme *shamir.Scheme, share *shamir.Share, to plan.Holder, how, given string, then func() error) (h ceremony.Handed, err error) {
	tty, err := terminal(to.Name+" must take a share and prove it", "run the command on a terminal, with the custodians in the room")
	if err != nil {
		return ceremony.Handed{}, err
	}
	defer func() {
		_, wiped := fmt.Fprint(tty, wipeScreen)
		err = errors.Join(err, wiped, tty.Close())
	}()
	fmt.Fprintf(tty, "%s%s\nOnly %s may see the screen now.\n", wipeScreen, share, to.Name)
	if given != "" {
		fmt.Fprintf(tty, "%s\n", given)
	} else if err := showWords(ctx, tty, share); err != nil {
		return ceremony.Handed{}, err
	}
	fmt.Fprintf(tty, "\n%s, prove the share from what you keep.\n", to.Name)
	back, err := c.readBack(ctx, tty, scheme, share)
	for given == "" && errors.As(err, new(*personError)) && again(ctx, tty) {
		if err = showWords(ctx, tty, share); err != nil {
			return ceremony.Handed{}, err
		}
		back, err = c.readBack(ctx, tty, scheme, share)
	}
	if err != nil {
		return ceremony.Handed{}, err
	}
	if then != nil {
		if err := then(); err != nil {
			back.Wipe()
			return ceremony.Handed{}, err
		}
	}
	fmt.Fprintf(tty, "  It is the one that was handed out. Press Enter, and call the next custodian. ")
	if _, err := readLine(ctx, tty); err != nil {
		back.Wipe()
		return ceremony.Handed{}, err
	}
	return ceremony.Handed{Share: back.Share, How: how, ReadBack: back.form}, nil
}

// again asks a holder who gave up typing whether to see the words once more,
// because a copy that is wrong cannot be mended without them.
func again(ctx context.Context, tty *os.File) bool {
	fmt.Fprint(tty, "  The share was not typed to its end. Type \"again\" to compare your copy with the\n  words once more, anything else to interrupt the ceremony: ")
	line, err := readLine(ctx, tty)
	return err == nil && strings.TrimSpace(line) == "again"
}

// readBack reads a share until it is the one that was handed out.
func (c *custody) readBack(ctx context.Context, tty *os.File, scheme *shamir.Scheme, share *shamir.Share) (heldShare, error) {
	for {
		back, err := typeShare(ctx, tty, share.Index)
		if err == nil {
			if _, err = scheme.Find(back.Share); err == nil && (back.Set != share.Set || back.Index != share.Index) {
				err = &shamir.Fault{Kind: shamir.ErrDuplicate, Share: back.Label(), Fact: "it is not " + share.Label(), Next: "bring that one"}
			}
			if err == nil {
				return back, nil
			}
			back.Wipe()
		}
		if !sayFault(tty, err) {
			return heldShare{}, err
		}
	}
}

// sayFault tells the person at the terminal what is wrong with a share, and
// reports whether it may be given again.
func sayFault(tty io.Writer, err error) bool {
	var refusal *ceremony.Refusal
	var fault *shamir.Fault
	switch {
	case errors.As(err, &refusal):
		fmt.Fprintf(tty, "    %s; %s.\n", refusal.Fact, refusal.Next)
	case errors.As(err, &fault):
		fmt.Fprintf(tty, "    %s; %s.\n", fault.Error(), fault.Next)
	default:
		return false
	}
	return true
}

// gathering is the shares that are here so far.
type gathering struct {
	scheme *shamir.Scheme
	shares []*shamir.Share
}

func (g *gathering) enough() bool { return g.scheme.Enough(g.shares) }

// knows reports whether a share is of one of the scheme's sets.
func (g *gathering) knows(s *shamir.Share) bool {
	return slices.ContainsFunc(g.scheme.Sets(), func(set *shamir.Set) bool { return set.ID() == s.Set })
}

// take adds a share, which is the gathering's from then on.
func (g *gathering) take(s *shamir.Share) error {
	if _, err := g.scheme.Find(s); err != nil {
		return err
	}
	for _, have := range g.shares {
		if have.Set == s.Set && have.Index == s.Index {
			return &shamir.Fault{Kind: shamir.ErrDuplicate, Share: s.Label(), Fact: "it is here already", Next: "bring another one"}
		}
	}
	g.shares = append(g.shares, s)
	return nil
}

// Gather asks for shares of a set until there are enough: files of the command
// line first, then in a lab those of files that stand for people, then people.
func (c *custody) Gather(ctx context.Context, secret spec.Address, scheme *shamir.Scheme, holders []plan.Holder) ([]*shamir.Share, error) {
	g := &gathering{scheme: scheme}
	if err := c.fromFiles(ctx, g); err != nil {
		return g.shares, err
	}
	if err := c.fromLab(g, holders); err != nil {
		return g.shares, err
	}
	return g.shares, c.ask(ctx, secret, g)
}

// fromFiles takes the shares of the command line that belong to the set.
func (c *custody) fromFiles(ctx context.Context, g *gathering) error {
	if !c.opened {
		held, err := c.app.readShares(ctx, shareSource{files: c.files, identities: c.identities})
		if err != nil {
			return err
		}
		c.read, c.opened = held, true
	}
	for _, h := range c.read {
		if !g.knows(h.Share) || g.enough() {
			continue
		}
		if err := g.take(h.Share); err != nil {
			return fmt.Errorf("%s: %w", h.from, refuseShares(err))
		}
	}
	return nil
}

// fromLab takes the shares of holders whom files stand for. A file that is
// away is a holder who is not in the room.
func (c *custody) fromLab(g *gathering, holders []plan.Holder) error {
	for i, h := range holders {
		set, m := g.scheme.At(i + 1)
		here := slices.ContainsFunc(g.shares, func(s *shamir.Share) bool { return s.Set == set.ID() && s.Index == m.Index })
		if h.Identity == "" || here || g.enough() {
			continue
		}
		if _, err := c.root.Lstat(h.Identity); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		s, err := c.readLab(g.scheme, i+1, h)
		if err != nil {
			return err
		}
		if err := g.take(s); err != nil {
			s.Wipe()
			return fmt.Errorf("%s: %w", shareFile(g.scheme, i+1), refuseShares(err))
		}
	}
	return nil
}

// ask has custodians type, scan or bring shares until there are enough.
func (c *custody) ask(ctx context.Context, secret spec.Address, g *gathering) error {
	if g.enough() {
		return nil
	}
	people := fmt.Sprintf("%s needs shares of %s", secret, g.scheme.Wanted())
	tty, err := terminal(people, "run the command on a terminal, or give their shares with --share FILE")
	if err != nil {
		return err
	}
	defer tty.Close()
	fmt.Fprintf(tty, "\n%s; set %s.\n", people, g.scheme.Top.ID())
	for !g.enough() {
		one, err := typeShare(ctx, tty, len(g.shares)+1)
		if err == nil {
			if err = g.take(one.Share); err != nil {
				one.Wipe()
			}
		}
		if err != nil && !sayFault(tty, err) {
			return err
		}
	}
	return nil
}

// checkRecipients finds a recipient that was mistyped while there is still
// time to ask its owner.
func checkRecipients(e *spec.Estate) spec.Diagnostics {
	var d spec.Diagnostics
	for _, c := range e.Custodians {
		for _, h := range c.Holders {
			if h.Recipient == "" {
				continue
			}
			if _, err := shamir.ParseRecipient(h.Recipient, shamir.Person{}); err != nil {
				d.Report(h.Origin, "recipient", "Not an age recipient", "%s. Ask %s for it again, as age-keygen prints it.", err, h.Name)
			}
		}
	}
	return d
}

// keyStoreSecret gives what opens a key store outside a ceremony: its secret,
// or the PIN that a ceremony made from shares.
func (a *app) keyStoreSecret(ctx context.Context, root *os.Root, estate *spec.Estate, k *spec.KeyStore) ([]byte, error) {
	s := k.Password
	if s.Custodians == nil {
		return askSecrets{root: root, environment: estate.Environment, estate: estate}.Secret(ctx, s, false)
	}
	book, err := a.book(root)
	if err != nil {
		return nil, err
	}
	have, known := book.State().ShareSet(s.Address)
	if !known {
		return nil, fmt.Errorf("%s has not been made yet; a ceremony makes it: %s plan", s.Address, a.self())
	}
	c := &custody{app: a, root: root}
	defer c.close()
	secret, err := ceremony.Rebuild(ctx, c, have)
	if err != nil {
		return nil, err
	}
	defer clear(secret)
	return ceremony.RecordedPIN(book.State(), k, secret)
}

// setInForce finds the set of a secret of the estate in the ledger.
func (a *app) setInForce(name string) (plan.ShareSet, *shamir.Scheme, error) {
	root, err := a.folder()
	if err != nil {
		return plan.ShareSet{}, nil, err
	}
	defer root.Close()
	book, err := a.book(root)
	if err != nil {
		return plan.ShareSet{}, nil, err
	}
	secret, err := spec.ParseAddress("secret." + strings.TrimPrefix(name, "secret."))
	if err != nil {
		return plan.ShareSet{}, nil, &usageError{err}
	}
	have, known := book.State().ShareSet(secret)
	if !known {
		var names []string
		for _, s := range book.State().ShareSets() {
			if s.Retired.IsZero() {
				names = append(names, s.Secret.String())
			}
		}
		return have, nil, fmt.Errorf("the ledger has no shares of %s; it has those of %s", secret, orNothing(names))
	}
	scheme, err := ceremony.Record(have)
	return have, scheme, err
}

func orNothing(names []string) string {
	if len(names) == 0 {
		return "nothing; -C DIR names the estate's folder"
	}
	return strings.Join(names, ", ")
}

// recordDrill enters a drill in the ledger, with the entry's number and what is
// left in the drill. One that failed is entered, too; one in which nobody proved
// or lost anything is none.
func (a *app) recordDrill(name string, d *drill) error {
	if len(d.Proven)+len(d.Lost) == 0 {
		return nil
	}
	have, _, err := a.setInForce(name)
	if err != nil {
		return err
	}
	root, err := a.folder()
	if err != nil {
		return err
	}
	defer root.Close()
	book, err := ledger.Open(root, ledgerName, rand.Reader)
	if err != nil {
		return err
	}
	defer book.Close()
	if book.State().Open != nil {
		return &ceremony.Refusal{Fact: "a ceremony is not finished, and a drill does not belong into it", Next: "finish it with pki apply PLAN --resume"}
	}
	if d.Time.Before(book.State().LastTime) {
		return &ceremony.Refusal{Fact: fmt.Sprintf("the clock says %s, which is before the newest entry of the ledger", instant(d.Time)), Next: "set the clock right"}
	}
	fact := &plan.ShareDrill{Secret: have.Secret, Set: have.Set, Proven: []int{}, Absent: []int{}}
	for i, h := range have.Holders {
		if slices.Contains(d.Proven, h.Name) {
			fact.Proven = append(fact.Proven, i+1)
			continue
		}
		fact.Absent = append(fact.Absent, i+1)
		if slices.Contains(d.Lost, h.Name) {
			fact.Lost = append(fact.Lost, i+1)
		}
	}
	if err := book.Append(plan.Event{Kind: plan.SharesDrilled, Time: d.Time, Audience: plan.Public, Drill: fact}); err != nil {
		return err
	}
	d.Entry = book.Head().Entries
	if now, known := book.State().ShareSet(have.Secret); known {
		d.Spare = new(now.Spare())
		d.enough = now.Enough(now.ProvenSince(d.Time.AddDate(0, 0, -drillDays)))
	}
	return nil
}
