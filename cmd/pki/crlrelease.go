package main

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"pki.internal/ceremony"
	"pki.internal/lint/crlwalk"
	"pki.internal/plan"
	"pki.internal/spec"
)

func crlReleaseCommand(a *app) *cobra.Command {
	var out, number string
	c := &cobra.Command{
		Use:   "release [AUTHORITY]",
		Short: "Publish the CRL whose time has come, from those that a ceremony signed ahead",
		Long: `Publish the CRL whose time has come, from those that a ceremony signed ahead
(presign in the crl block). It needs the ledger and a clock, and no key: which
CRL belongs under the authority's name follows from the two. Run it on a timer;
when the right one is in place already, it does nothing.

Without AUTHORITY every authority of the ledger that has CRLs signed ahead is
looked at. The files are crls/NAME.crl and .pem in the estate's folder, or those
that --out names.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return a.crlRelease(args, out, number) },
	}
	c.Flags().StringVar(&out, "out", "", "where the CRL goes, in DER; .pem is added beside it (default: crls/ of the estate)")
	c.Flags().StringVar(&number, "number", "", "release this one and no other; refused before its time")
	return c
}

// released is what became of one authority's CRL.
type released struct {
	Authority spec.Address `json:"authority"`
	Number    string       `json:"number"`
	Until     time.Time    `json:"until"`
	Published bool         `json:"published"` // false when it was in place already
	Files     []string     `json:"files"`
	Next      *nextCRL     `json:"next,omitempty"` // nil when nothing is left of the stack
}

// nextCRL is the one after it.
type nextCRL struct {
	Number string    `json:"number"`
	From   time.Time `json:"from"`
}

func (a *app) crlRelease(args []string, out, number string) error {
	root, err := a.folder()
	if err != nil {
		return err
	}
	defer root.Close()
	if _, err := root.Lstat(ledgerName); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no %s here, and what may be released stands in it; name the estate's folder with -C", ledgerName)
	}
	book, err := a.book(root)
	if err != nil {
		return err
	}
	state, now := book.State(), a.now().UTC().Truncate(time.Second)
	if now.Before(state.LastTime) {
		return &ceremony.Refusal{
			Fact: fmt.Sprintf("it is %s here, and the newest entry of the ledger is of %s", instant(now), instant(state.LastTime)),
			Next: "set this host's clock right",
		}
	}
	chosen, err := stacked(state, args)
	if err != nil {
		return err
	}
	if (out != "" || number != "") && len(chosen) != 1 {
		return &usageError{errors.New("--out and --number are about one authority; name it")}
	}
	var all []released
	var failed []error
	for _, authority := range chosen {
		r, err := release(root, authority, out, number, now)
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", authority.Address, err))
			continue // the others' CRLs must not expire because of this one
		}
		all = append(all, *r)
	}
	if err := a.emit("crl release", all, func(w io.Writer) { printReleased(w, all) }); err != nil {
		return err
	}
	return errors.Join(failed...)
}

// stacked gives the authorities that are looked at.
func stacked(s plan.State, args []string) ([]plan.Authority, error) {
	var chosen []plan.Authority
	for _, whole := range s.Authorities() {
		named := len(args) == 1 && names(args[0], whole.Address)
		for _, g := range whole.Generations { // an older key may still have a stack
			a, _ := whole.As(g.Number)
			if len(args) == 0 && len(a.Stack) > 0 || named && (g.Number == whole.Generation || a.CRLNumber != "") {
				chosen = append(chosen, a)
			}
		}
	}
	switch {
	case len(chosen) == 0 && len(args) == 1:
		return nil, fmt.Errorf("the ledger has no authority %q; pki verify lists those that it has", args[0])
	case len(chosen) == 0:
		return nil, errors.New("the ledger has no CRLs that were signed ahead; write presign = N into a crl block, and plan a ceremony")
	}
	return chosen, nil
}

// release puts an authority's CRL in its place.
func release(root *os.Root, a plan.Authority, out, number string, now time.Time) (*released, error) {
	der, due := a.Due(now)
	if _, err := a.Release(now); err != nil {
		return nil, err
	}
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		return nil, err
	}
	r := &released{Authority: a.Address, Number: due, Until: list.NextUpdate.UTC()}
	for _, p := range a.Stack {
		if p.ThisUpdate.After(now) {
			r.Next = &nextCRL{p.Number, p.ThisUpdate.UTC()}
			break
		}
	}
	if number != "" && number != due {
		return nil, notThisOne(a, number, due, now)
	}
	if !now.Before(list.NextUpdate) {
		return nil, &ceremony.Refusal{
			Fact: fmt.Sprintf("its newest CRL, number %s, ended on %s, and nothing is left to release", due, instant(list.NextUpdate)),
			Next: "hold a ceremony: pki plan --out plan.json",
		}
	}
	if out != "" {
		return r, r.publish(out, der, a, list)
	}
	return r, r.intoEstate(root, a, now, list.Number)
}

// notThisOne refuses a CRL that somebody asked for by its number.
func notThisOne(a plan.Authority, number, due string, now time.Time) error {
	i := slices.IndexFunc(a.Stack, func(p plan.PresignedCRL) bool { return p.Number == number })
	switch {
	case i >= 0 && a.Stack[i].ThisUpdate.After(now):
		return &ceremony.Refusal{
			Fact: fmt.Sprintf("CRL number %s begins on %s; it stays where it is until then", number, instant(a.Stack[i].ThisUpdate)),
			Next: fmt.Sprintf("release number %s, which is the one for now, by leaving --number out", due),
		}
	case slices.Contains(a.Retired, number):
		return &ceremony.Refusal{
			Fact: fmt.Sprintf("CRL number %s is void or replaced: a later one revokes more, or is newer", number),
			Next: fmt.Sprintf("release number %s by leaving --number out", due),
		}
	}
	return &ceremony.Refusal{
		Fact: fmt.Sprintf("number %s is the one for now, not %s", due, number),
		Next: "leave --number out",
	}
}

// intoEstate writes the files of the estate's folder. What lies there must be
// of this ledger.
func (r *released) intoEstate(root *os.Root, a plan.Authority, now time.Time, number *big.Int) error {
	files, err := a.Release(now)
	if err != nil {
		return err
	}
	folder := folderFiles{root}
	for _, f := range files {
		r.Files = append(r.Files, f.Path)
		have, err := folder.Read(f.Path)
		if err == nil && bytes.Equal(have, f.Data) {
			continue
		}
		if err == nil {
			err = mayReplace(have, a, number)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s: %w", f.Path, err)
		}
		if err := folder.Write(f); err != nil {
			return fmt.Errorf("%s: %w", f.Path, err)
		}
		r.Published = true
	}
	return nil
}

// mayReplace refuses to put a CRL over something that is not an older one of
// the same key.
func mayReplace(have []byte, a plan.Authority, number *big.Int) error {
	issuer, err := x509.ParseCertificate(a.Certificate)
	if err != nil {
		return err
	}
	next := "see what it is and who put it there; move it away if it does not belong there"
	reader, _, err := crlwalk.DER(bytes.NewReader(have))
	var list *crlwalk.List
	if err == nil {
		list, err = crlwalk.Walk(reader, nil)
	}
	if err == nil {
		err = list.CheckIssuer(issuer)
	}
	if err != nil {
		return &ceremony.Refusal{Fact: fmt.Sprintf("what is there is not a CRL of this authority (%s)", err), Next: next}
	}
	if there := list.Number(); there == nil || there.Cmp(number) > 0 {
		return &ceremony.Refusal{
			Fact: fmt.Sprintf("what is there is CRL number %s, above number %s, which this ledger knows of", orNoNumber(there), number),
			Next: "bring the newest ledger here (git pull): a newer CRL has been signed",
		}
	}
	return nil
}

func orNoNumber(n *big.Int) string {
	if n == nil {
		return "none"
	}
	return n.String()
}

// publish writes DER and PEM anywhere, each in one step.
func (r *released) publish(out string, der []byte, a plan.Authority, list *x509.RevocationList) error {
	unlock, err := lockOutput(out)
	if err != nil {
		return err
	}
	defer unlock()
	names := []string{out, out + ".pem"}
	r.Files = names
	have, err := os.ReadFile(out)
	pem, pemErr := os.ReadFile(out + ".pem")
	switch {
	case err == nil && bytes.Equal(have, der) && pemErr == nil && bytes.Equal(pem, plan.CRLPEM(der)):
		return nil
	case err == nil:
		if err := mayReplace(have, a, list.Number); err != nil {
			return fmt.Errorf("%s: %w", out, err)
		}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	defer func() {
		for _, name := range names {
			os.Remove(name + ".new") // gone already when it was renamed
		}
	}()
	for i, text := range [][]byte{der, plan.CRLPEM(der)} {
		if _, err := writeNew(names[i], func(w io.Writer) error { _, err := w.Write(text); return err }); err != nil {
			return err
		}
		if back, err := os.ReadFile(names[i] + ".new"); err != nil || !bytes.Equal(back, text) {
			return errors.Join(fmt.Errorf("%s: what was read back is not what was written; use another disk", names[i]), err)
		}
	}
	if err := giveNames(names); err != nil {
		return err
	}
	r.Published = true
	return nil
}

func printReleased(w io.Writer, all []released) {
	for _, r := range all {
		word := "is in place already"
		if r.Published {
			word = "published"
		}
		fmt.Fprintf(w, "%s: CRL number %s %s, until %s (%s)\n", r.Authority, r.Number, word, instant(r.Until), filepath.ToSlash(r.Files[0]))
		if r.Next != nil {
			fmt.Fprintf(w, "  next: number %s on %s\n", r.Next.Number, instant(r.Next.From))
		} else {
			fmt.Fprintf(w, "  next: nothing is left of the stack; hold a ceremony before %s\n", instant(r.Until))
		}
	}
}

// settled leaves out files whose place a CRL that was signed ahead has taken
// since: the ledger gives both, and the clock says which.
func settled(root *os.Root, s plan.State, files []plan.File) []plan.File {
	return slices.DeleteFunc(slices.Clone(files), func(f plan.File) bool {
		have, err := root.ReadFile(f.Path)
		return err == nil && s.Released(f.Path, have)
	})
}
