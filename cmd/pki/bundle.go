package main

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pki.internal/ceremony"
	"pki.internal/ceremony/bundle"
	"pki.internal/ceremony/ledger"
	"pki.internal/plan"
)

func bundleCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "bundle",
		Short: "One file that crosses the air gap, in each direction",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(bundleCreateCommand(a), bundleOpenCommand(a))
	return c
}

func bundleCreateCommand(a *app) *cobra.Command {
	var out string
	level := string(plan.Confidential)
	c := &cobra.Command{
		Use:   "create [PLAN] --out FILE",
		Short: "Put what a ceremony needs, or what it gave, into one file",
		Long: `With a plan: what goes to the ceremony. The plan and its approvals, every file of
the estate that it was made from, and the ledger.

Without a plan: what comes back. The ledger, the certificates and CRLs, and their
digests. --level public or restricted withholds the facts of the ledger that are
for a narrower audience (plans, people, serial numbers of devices); such a copy
verifies to the same head, and is for auditors.

A bundle is a tar file whose first file lists the others. The same estate gives
the same bytes, so two people who make one can compare its digest.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			audience := plan.Audience(level)
			if _, err := audience.Level(); err != nil {
				return &usageError{fmt.Errorf("--level is public, restricted or confidential, not %q", level)}
			}
			switch {
			case out == "":
				return &usageError{errors.New("--out FILE is needed; see pki bundle create --help")}
			case len(args) == 1 && audience != plan.Confidential:
				return &usageError{errors.New("--level withholds facts from auditors, and a ceremony needs the whole ledger")}
			case len(args) == 1:
				return a.bundleToCeremony(args[0], out)
			}
			return a.bundleFromCeremony(audience, out)
		},
	}
	c.Flags().StringVar(&out, "out", "", "the bundle, a new file (required)")
	c.Flags().StringVar(&level, "level", level, "who may see it: public, restricted or confidential")
	return c
}

// bundleToCeremony collects what a plan was made from.
func (a *app) bundleToCeremony(name, out string) error {
	p, digest, err := readPlan(name)
	if err != nil {
		return err
	}
	root, err := a.folder()
	if err != nil {
		return err
	}
	defer root.Close()
	book, err := a.book(root)
	if err != nil {
		return err
	}
	if book.Head() != p.Ledger {
		return &ceremony.Refusal{
			Fact: fmt.Sprintf("the plan continues a ledger of %s, and the one here has %d", count(p.Ledger.Entries, "entry"), book.Head().Entries),
			Next: "make a new plan with pki plan --out FILE",
		}
	}
	files, err := inputFiles(root, p)
	if err != nil {
		return err
	}
	at := a.planPath(name)
	more, err := planFiles(name, at)
	if err != nil {
		return err
	}
	files = append(files, more...)
	if book.Head().Entries > 0 {
		text, err := root.ReadFile(ledgerName)
		if err != nil {
			return err
		}
		files = append(files, plan.File{Path: ledgerName, Data: text})
	}
	m := bundle.Manifest{
		Kind: bundle.ToCeremony, Estate: p.Estate.Name, Environment: p.Estate.Environment,
		Audience: plan.Confidential, Ledger: p.Ledger, Plan: at,
	}
	return a.writeBundle(m, files, out, func(w io.Writer) {
		fmt.Fprintf(w, "\nThe plan in it:\n")
		printDigest(w, digest)
	})
}

// planPath is where a plan stands in a bundle: where it stands in the estate,
// or at the top.
func (a *app) planPath(name string) string {
	dir, errDir := filepath.Abs(a.dir)
	full, errName := filepath.Abs(name)
	if errDir == nil && errName == nil {
		if below, err := filepath.Rel(dir, full); err == nil && filepath.IsLocal(below) {
			return filepath.ToSlash(below)
		}
	}
	return filepath.Base(name)
}

// planFiles gives a plan's file and its approvals, if it has any.
func planFiles(name, at string) ([]plan.File, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	files := []plan.File{{Path: at, Data: text}}
	text, err = os.ReadFile(approvalsName(name))
	if errors.Is(err, fs.ErrNotExist) {
		return files, nil
	}
	return append(files, plan.File{Path: approvalsName(at), Data: text}), err
}

// inputFiles reads every file that a plan was made from and holds it against
// the plan.
func inputFiles(root *os.Root, p *plan.Plan) ([]plan.File, error) {
	var files []plan.File
	for _, in := range p.Estate.Inputs {
		text, err := root.ReadFile(in.Path)
		if err != nil {
			return nil, err
		}
		if sha256Hex(text) != in.SHA256 {
			return nil, &ceremony.Refusal{Fact: in.Path + " was changed after the plan was made", Next: "make a new plan with pki plan --out FILE, or restore the file"}
		}
		files = append(files, plan.File{Path: in.Path, Data: text})
	}
	return files, nil
}

// bundleFromCeremony collects what the ledger gives.
func (a *app) bundleFromCeremony(to plan.Audience, out string) error {
	root, err := a.folder()
	if err != nil {
		return err
	}
	defer root.Close()
	book, err := a.book(root)
	if err != nil {
		return err
	}
	switch open := book.State().Open; {
	case len(book.Entries) == 0:
		return fmt.Errorf("there is no %s here; a ceremony writes it, so there is nothing to bring back", ledgerName)
	case open != nil:
		return &ceremony.Refusal{
			Fact: fmt.Sprintf("a ceremony was interrupted after %d of %d actions", open.Done, len(open.Plan.Actions)),
			Next: "finish it first with pki apply PLAN --resume",
		}
	case book.Withheld() > 0 && !slices.Contains([]plan.Audience{plan.Public, plan.Restricted}, to):
		to = plan.Restricted
	}
	text, err := book.Copy(to)
	if err != nil {
		return err
	}
	copied, _, err := ledger.Read(text)
	if err != nil {
		return err
	}
	files := append(copied.State().Files(), plan.File{Path: ledgerName, Data: text})
	m := bundle.Manifest{
		Kind: bundle.FromCeremony, Estate: book.State().Estate, Environment: book.State().Environment, Audience: to, Ledger: book.Head(),
	}
	return a.writeBundle(m, files, out, func(w io.Writer) {
		if n := copied.Withheld(); n > 0 {
			fmt.Fprintf(w, "\n%s of %d %s withheld, as %s. The copy has the same head:\n", count(n, "fact"), len(copied.Entries), isAre(n), withheldFrom(copied))
		} else {
			fmt.Fprintf(w, "\nThe ledger in it is whole, %s, with the head:\n", count(len(copied.Entries), "entry"))
		}
		fmt.Fprintf(w, "  %s\n", copied.Head().Hash)
	})
}

// writeBundle writes a bundle under a new name and says what is in it.
func (a *app) writeBundle(m bundle.Manifest, files []plan.File, out string, more func(io.Writer)) error {
	var b bytes.Buffer
	if err := bundle.Write(&b, m, files); err != nil {
		return err
	}
	read, err := bundle.Read(bytes.NewReader(b.Bytes()))
	if err != nil {
		return err
	}
	if _, err := openedBundle(read); err != nil {
		return err
	}
	dir, err := os.OpenRoot(filepath.Dir(out))
	if err != nil {
		return err
	}
	defer dir.Close()
	if _, err := dir.Lstat(filepath.Base(out)); err == nil {
		return fmt.Errorf("%s is already there, and bundles are never overwritten; name another file", out)
	}
	if err := (folderFiles{dir}).Write(plan.File{Path: filepath.Base(out), Mode: 0o644, Data: b.Bytes()}); err != nil {
		return err
	}
	digest, err := hex.DecodeString(read.SHA256)
	if err != nil {
		return err
	}
	result := map[string]any{"file": out, "sha256": read.SHA256, "words": plan.Words(digest), "manifest": read.Manifest}
	return a.emit("bundle create", result, func(w io.Writer) {
		fmt.Fprintf(w, "%s, %s, %s:\n", out, bundleTitle(read.Manifest), count(len(files), "file"))
		printDigest(w, digest)
		more(w)
	})
}

// bundleTitle says in words which way a bundle goes.
func bundleTitle(m bundle.Manifest) string {
	way := "from a ceremony"
	if m.Kind == bundle.ToCeremony {
		way = "to a ceremony"
	}
	return fmt.Sprintf("a bundle %s of the %s estate %q", way, m.Environment, m.Estate)
}

// opened is a bundle whose content has been verified.
type opened struct {
	*bundle.Bundle
	book *ledger.Book
	plan *plan.Plan // of a bundle to a ceremony
}

// openedBundle holds the content of a bundle against its list: the ledger
// replays to the head, and every other file is what ledger or plan say.
func openedBundle(b *bundle.Bundle) (*opened, error) {
	o := &opened{Bundle: b, book: &ledger.Book{}}
	if f, found := b.File(ledgerName); found {
		book, torn, err := ledger.Read(f.Data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", ledgerName, err)
		}
		if len(torn) > 0 {
			return nil, fmt.Errorf("%s: %w", ledgerName, ledger.ErrTorn)
		}
		o.book = book
	}
	m := b.Manifest
	if o.book.Head() != m.Ledger {
		return nil, errors.New("the bundle's ledger does not have the head that its list names")
	}
	if s := o.book.State(); s.Estate != "" && (s.Estate != m.Estate || s.Environment != m.Environment) {
		return nil, fmt.Errorf("the bundle's ledger is of the %s estate %q, and its list says %q", s.Environment, s.Estate, m.Estate)
	}
	for _, e := range o.book.Entries {
		if e.Fact != nil && !m.Audience.Sees(e.Fact.Audience) {
			return nil, fmt.Errorf("the bundle is %s, and entry %d of its ledger is %s", m.Audience, e.Number, e.Fact.Audience)
		}
	}
	if m.Kind == bundle.ToCeremony {
		return o, o.checkPlan()
	}
	for _, f := range o.book.State().Files() { // a CRL that waits for its time is not for everyone
		if i := slices.IndexFunc(b.Files, func(have plan.File) bool { return have.Path == f.Path }); i >= 0 {
			b.Files[i].Mode = f.Mode
		}
	}
	return o, checkDerived(o.book, slices.DeleteFunc(slices.Clone(b.Files), func(f plan.File) bool { return f.Path == ledgerName }))
}

// checkPlan holds the files of a bundle to a ceremony against its plan: what it
// was made from, and nothing else.
func (o *opened) checkPlan() error {
	f, _ := o.File(o.Manifest.Plan)
	p, err := plan.Decode(f.Data)
	if err != nil {
		return fmt.Errorf("%s: %w", f.Path, err)
	}
	o.plan = p
	switch {
	case p.Estate.Name != o.Manifest.Estate || p.Estate.Environment != o.Manifest.Environment:
		return fmt.Errorf("the bundle's plan is for the %s estate %q, and its list says %q", p.Estate.Environment, p.Estate.Name, o.Manifest.Estate)
	case p.Ledger != o.Manifest.Ledger:
		return errors.New("the bundle's plan does not continue its ledger")
	}
	expected := []string{o.Manifest.Plan, approvalsName(o.Manifest.Plan), ledgerName}
	for _, in := range p.Estate.Inputs {
		have, found := o.File(in.Path)
		if !found || sha256Hex(have.Data) != in.SHA256 {
			return fmt.Errorf("the bundle lacks %s as the plan was made from it", in.Path)
		}
		expected = append(expected, in.Path)
	}
	for _, f := range o.Files {
		if !slices.Contains(expected, f.Path) {
			return fmt.Errorf("the bundle holds %s, which its plan was not made from", f.Path)
		}
	}
	return nil
}

// checkDerived holds files against what a ledger gives. A copy without
// its plans gives every certificate and CRL, and the files must consist of them.
func checkDerived(book *ledger.Book, files []plan.File) error {
	if book.Observed() {
		return checkPublished(book, files)
	}
	want := book.State().Files()
	for _, f := range want {
		i := slices.IndexFunc(files, func(have plan.File) bool { return have.Path == f.Path })
		if i < 0 || !bytes.Equal(files[i].Data, f.Data) {
			return fmt.Errorf("%s is not what the ledger gives", f.Path)
		}
	}
	for _, f := range files {
		if !slices.ContainsFunc(want, func(w plan.File) bool { return w.Path == f.Path }) {
			return fmt.Errorf("%s is a file that the ledger does not give", f.Path)
		}
	}
	return nil
}

// checkPublished holds each file of certificates or CRLs against the ones that
// the ledger records, and the file of digests against them all.
func checkPublished(book *ledger.Book, files []plan.File) error {
	known := map[string]bool{}
	for _, e := range book.Entries {
		switch {
		case e.Fact == nil:
		case e.Fact.Certificate != nil:
			known[string(e.Fact.Certificate.DER)] = true
		case e.Fact.CRL != nil:
			known[string(e.Fact.CRL.DER)] = true
		}
	}
	sums := ""
	for _, f := range files {
		if f.Path == plan.SumsName {
			sums = string(f.Data)
			continue
		}
		for _, der := range derOf(f.Data) {
			if !known[string(der)] {
				return fmt.Errorf("%s holds something that the ledger does not record", f.Path)
			}
		}
	}
	for _, f := range files {
		if line := sha256Hex(f.Data) + "  " + f.Path + "\n"; f.Path != plan.SumsName && !strings.Contains("\n"+sums, "\n"+line) {
			return fmt.Errorf("%s does not name %s with its digest", plan.SumsName, f.Path)
		}
	}
	return nil
}
