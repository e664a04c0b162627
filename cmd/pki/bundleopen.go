package main

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/pem"
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
	"pki.internal/spec"
	"pki.internal/spec/hclspec"
)

func bundleOpenCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "open FILE [DIR]",
		Short: "Check a bundle to the last byte, and put it into a folder",
		Long: `Check a bundle to the last byte: its form, its list, the ledger in it, and that
every file is what the plan or the ledger says. Only then put it into a folder:
DIR, or the estate of -C.

A new folder gets the whole bundle at once. A folder that holds the estate gets
the newer ledger first, then the files. A bundle of another estate, of another
ledger, or of one that has gone on since is refused.`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(_ *cobra.Command, args []string) error {
			dir := a.dir
			if len(args) == 2 {
				dir = args[1]
			}
			return a.bundleOpen(args[0], dir)
		},
	}
}

// derOf gives the objects in a file: the blocks of PEM, or the file itself.
func derOf(text []byte) [][]byte {
	var all [][]byte
	for rest := text; ; {
		var b *pem.Block
		if b, rest = pem.Decode(rest); b == nil {
			break
		}
		all = append(all, b.Bytes)
	}
	if len(all) == 0 {
		all = append(all, text)
	}
	return all
}

func (a *app) bundleOpen(name, dir string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	read, err := bundle.Read(f)
	if err != nil {
		return &ceremony.Refusal{Fact: fmt.Sprintf("%s: %s", name, err), Next: "nothing was unpacked; get the bundle again from where it was made, and compare its digest"}
	}
	o, err := openedBundle(read)
	if err != nil {
		return &ceremony.Refusal{Fact: fmt.Sprintf("%s: %s", name, err), Next: "nothing was unpacked; get the bundle again from where it was made, and compare its digest"}
	}
	fresh, err := isFresh(dir)
	if err != nil {
		return err
	}
	var written []string
	if fresh {
		written, err = o.unpackFresh(dir)
	} else {
		written, err = a.unpackInto(o, dir)
	}
	if err != nil {
		return err
	}
	return a.sayOpened(o, dir, written)
}

// isFresh reports whether a folder is not there, or empty.
func isFresh(dir string) (bool, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	return len(entries) == 0, err
}

// unpackFresh unpacks beside the folder and gives it its name when it is whole.
func (o *opened) unpackFresh(dir string) ([]string, error) {
	dir = filepath.Clean(dir)
	if dir == "." {
		return nil, &usageError{errors.New("name the folder that the bundle goes to: pki bundle open FILE DIR")}
	}
	beside := filepath.Join(filepath.Dir(dir), "."+filepath.Base(dir)+".pki-bundle-"+strings.ToLower(rand.Text()[:8]))
	if err := os.Mkdir(beside, 0o755); err != nil {
		return nil, err
	}
	if err := o.unpack(beside); err != nil {
		return nil, errors.Join(err, os.RemoveAll(beside))
	}
	testOnlyEffect("unpacked " + dir)
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, errors.Join(err, os.RemoveAll(beside))
	}
	if err := os.Rename(beside, dir); err != nil {
		return nil, errors.Join(err, os.RemoveAll(beside))
	}
	parent, err := os.OpenRoot(filepath.Dir(dir))
	if err != nil {
		return nil, err
	}
	defer parent.Close()
	return o.paths(), folderFiles{parent}.syncDir(".")
}

func (o *opened) paths() []string {
	var all []string
	for _, f := range o.Files {
		all = append(all, f.Path)
	}
	return all
}

// unpack writes every file of a bundle into a folder; each is read back.
func (o *opened) unpack(dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, f := range o.Files {
		if err := (folderFiles{root}).Write(f); err != nil {
			return fmt.Errorf("%s: %w", f.Path, err)
		}
	}
	return nil
}

// unpackInto brings an estate's folder up to a bundle.
func (a *app) unpackInto(o *opened, dir string) ([]string, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	unlock, err := a.fits(o, root, dir)
	if err != nil {
		return nil, err
	}
	defer unlock()
	changed, err := o.changes(root)
	if err != nil {
		return nil, err
	}
	if len(changed) == 0 {
		return nil, &ceremony.Refusal{Fact: "this bundle has been opened here already: every file of it is in " + dir, Next: "there is nothing left to do"}
	}
	stage := ".pki-bundle-" + strings.ToLower(rand.Text()[:8])
	if err := root.Mkdir(stage, 0o755); err != nil {
		return nil, err
	}
	var paths []string
	for _, f := range changed {
		staged := f
		staged.Path = stage + "/" + f.Path
		if err := (folderFiles{root}).Write(staged); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", f.Path, err), root.RemoveAll(stage))
		}
		paths = append(paths, f.Path)
	}
	for _, f := range changed {
		testOnlyEffect("open " + f.Path)
		if err := moveInto(root, stage, f.Path); err != nil {
			return nil, fmt.Errorf("%s: %w; when the cause is mended, open the bundle again", f.Path, err)
		}
	}
	return paths, root.RemoveAll(stage)
}

// moveInto gives a staged file its name.
func moveInto(root *os.Root, stage, name string) error {
	files := folderFiles{root}
	dir := filepath.ToSlash(filepath.Dir(name))
	if err := root.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := root.Rename(stage+"/"+name, name); err != nil {
		return err
	}
	return files.syncDir(dir)
}

// changes lists the files that are not in a folder yet. The ledger comes first:
// from it the others can be made again.
func (o *opened) changes(root *os.Root) ([]plan.File, error) {
	var changed []plan.File
	for _, f := range o.Files {
		have, err := root.ReadFile(f.Path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if err != nil || !bytes.Equal(have, f.Data) {
			changed = append(changed, f)
		}
	}
	slices.SortStableFunc(changed, func(a, b plan.File) int { return first(b) - first(a) })
	return changed, nil
}

func first(f plan.File) int {
	if f.Path == ledgerName {
		return 1
	}
	return 0
}

// fits refuses a bundle that does not belong into a folder, and keeps the
// ledger there from growing until unlock.
func (a *app) fits(o *opened, root *os.Root, dir string) (unlock func(), err error) {
	here, err := a.book(root)
	if err != nil {
		return nil, err
	}
	if err := o.sameEstate(root, here, dir); err != nil {
		return nil, err
	}
	if err := o.continues(here, dir); err != nil {
		return nil, err
	}
	if len(here.Entries) == 0 {
		return func() {}, nil
	}
	file, err := ledger.Open(root, ledgerName, rand.Reader)
	if err != nil {
		return nil, err
	}
	if file.Head() != here.Head() {
		file.Close()
		return nil, errors.New("the ledger was changed while the bundle was being read; run the command again")
	}
	return func() { file.Close() }, nil
}

// sameEstate holds the estate in a folder against that of a bundle.
func (o *opened) sameEstate(root *os.Root, here *ledger.Book, dir string) error {
	m := o.Manifest
	other := func(environment, name any) error {
		return &ceremony.Refusal{
			Fact: fmt.Sprintf("the bundle is of the %s estate %q, and %s holds the %s estate %q", m.Environment, m.Estate, dir, environment, name),
			Next: "name the folder of the bundle's own estate, or a new one",
		}
	}
	if s := here.State(); s.Estate != "" && (s.Estate != m.Estate || s.Environment != m.Environment) {
		return other(s.Environment, s.Estate)
	}
	names, err := fs.Glob(root.FS(), "*"+hclspec.Suffix)
	if err != nil {
		return err
	}
	if len(names) == 0 && len(here.Entries) == 0 {
		return &ceremony.Refusal{Fact: dir + " is not empty and holds no estate", Next: "name the estate's folder, or a new one"}
	}
	if len(names) == 0 {
		return nil // a copy of the ledger
	}
	loaded, diags := hclspec.Load(root.FS(), o.variables())
	switch {
	case diags.HasErrors() && m.Kind == bundle.ToCeremony:
		return &ceremony.Refusal{Fact: "the estate in " + dir + " is not valid, so nobody can say where it keeps its keys", Next: "open the bundle in a new folder, or mend the estate (pki validate)"}
	case !diags.HasErrors() && (loaded.Estate.Name != m.Estate || loaded.Estate.Environment != m.Environment):
		return other(loaded.Estate.Environment, loaded.Estate.Name)
	case m.Kind == bundle.FromCeremony:
		return nil
	}
	return o.sparesKeys(loaded.Estate, names, dir)
}

// variables are the values that the estate of a bundle to a ceremony needs.
func (o *opened) variables() map[string]string {
	if o.plan == nil {
		return nil
	}
	return o.plan.Estate.Variables
}

// sparesKeys refuses a bundle that would replace what no bundle brings, or
// leave a piece of another estate.
func (o *opened) sparesKeys(here *spec.Estate, names []string, dir string) error {
	for _, f := range o.Files {
		keeps := slices.ContainsFunc(here.KeyStores, func(k *spec.KeyStore) bool { return k.Path != "" && strings.HasPrefix(f.Path, k.Path+"/") }) ||
			slices.ContainsFunc(here.Secrets, func(s *spec.Secret) bool { return s.File == f.Path })
		if keeps {
			return &ceremony.Refusal{Fact: "the bundle would replace " + f.Path + ", where the estate in " + dir + " keeps keys or secrets", Next: "do not use this bundle; find out who made it"}
		}
	}
	for _, name := range names {
		if _, found := o.File(name); !found {
			return &ceremony.Refusal{Fact: name + " is in " + dir + " and not in the bundle, so its plan was made from another estate", Next: "move it away, or open the bundle in a new folder"}
		}
	}
	return nil
}

// continues holds the ledger in a folder against that of a bundle: the bundle's
// must be the same, or go on from it.
func (o *opened) continues(here *ledger.Book, dir string) error {
	n := min(len(here.Entries), len(o.book.Entries))
	if n > 0 && here.Entries[n-1].Head != o.book.Entries[n-1].Head {
		return &ceremony.Refusal{
			Fact: fmt.Sprintf("the bundle's ledger is not that of %s: they differ within the first %s", dir, count(n, "entry")),
			Next: "find out which one is right before anything else; both are signed for by their heads",
		}
	}
	if more := len(here.Entries) - n; more > 0 {
		return &ceremony.Refusal{
			Fact: fmt.Sprintf("this bundle is used up: the ledger in %s has gone on by %s since", dir, count(more, "entry")),
			Next: "make a new bundle",
		}
	}
	if o.book.Withheld() > 0 && here.Withheld() == 0 && len(here.Entries) > 0 {
		return &ceremony.Refusal{
			Fact: fmt.Sprintf("the bundle's ledger is a %s copy, and %s holds the whole ledger", o.Manifest.Audience, dir),
			Next: "open it in a new folder, or make the bundle with --level confidential",
		}
	}
	return nil
}

// sayOpened says what was in a bundle and what comes next.
func (a *app) sayOpened(o *opened, dir string, written []string) error {
	digest, err := hex.DecodeString(o.SHA256)
	if err != nil {
		return err
	}
	next := fmt.Sprintf("pki -C %s verify", dir)
	if o.plan != nil {
		next = fmt.Sprintf("pki -C %s apply %s", dir, filepath.Join(dir, filepath.FromSlash(o.Manifest.Plan)))
	}
	result := map[string]any{"dir": dir, "sha256": o.SHA256, "words": plan.Words(digest), "manifest": o.Manifest, "written": written}
	return a.emit("bundle open", result, func(w io.Writer) {
		fmt.Fprintf(w, "This is %s:\n", bundleTitle(o.Manifest))
		printDigest(w, digest)
		fmt.Fprintf(w, "\nIts ledger has %s, head %s.\n", count(len(o.book.Entries), "entry"), o.book.Head().Hash)
		if n := o.book.Withheld(); n > 0 {
			fmt.Fprintf(w, "%s left out, as %s.\n", count(n, "fact"), withheldFrom(o.book))
		}
		fmt.Fprintf(w, "\nWritten to %s:\n", dir)
		for _, name := range written {
			fmt.Fprintf(w, "  %s\n", name)
		}
		fmt.Fprintf(w, "\nNext: compare the digest with that of whoever made the bundle, then\n  %s\n", next)
	})
}
