package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pki.internal/ceremony/ledger"
	"pki.internal/plan"
	"pki.internal/plan/tbs/public"
	"pki.internal/render"
	"pki.internal/spec"
)

func verifyCommand(a *app) *cobra.Command {
	var o headOptions
	c := &cobra.Command{
		Use:   "verify",
		Short: "Replay the ledger: every hash, signature, chain and file; needs no key",
		Long: `Replay the ledger of the estate, or of a folder that holds a copy of it: every
hash, signature, plan, chain and derived file. It needs no key and no network.

An auditor keeps a tree head (RFC 6962): --head-out FILE writes it when all is
well, --sign-head KEY signs it. Later, --since FILE proves that the ledger of
then extends the one of that head: nothing was changed, removed or put in.
With both, the new head carries the proof, and --head NEW --since OLD checks it
where there is no ledger.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := o.sound(); err != nil {
				return &usageError{err}
			}
			if o.head != "" {
				return a.verifyHead(&o)
			}
			return a.verify(c.Context(), &o)
		},
	}
	o.flags(c)
	return c
}

// check is one thing that was verified.
type check struct {
	What   string `json:"what"`
	Result string `json:"result"`
	Failed bool   `json:"failed"`
}

type verification struct {
	Head     plan.Head `json:"head"`
	TreeHash string    `json:"tree_hash"`
	Withheld int       `json:"withheld,omitempty"` // facts left out of this copy
	without  string    // what that leaves open
	Checks   []check   `json:"checks"`
}

func (v *verification) pass(what, result string, args ...any) {
	v.Checks = append(v.Checks, check{What: what, Result: fmt.Sprintf(result, args...)})
}

func (v *verification) fail(what, result string, args ...any) {
	v.Checks = append(v.Checks, check{What: what, Result: fmt.Sprintf(result, args...), Failed: true})
}

func (v *verification) failures() int {
	n := 0
	for _, c := range v.Checks {
		if c.Failed {
			n++
		}
	}
	return n
}

func (a *app) verify(ctx context.Context, o *headOptions) error {
	root, err := a.folder()
	if err != nil {
		return err
	}
	defer root.Close()
	if _, err := root.Lstat(ledgerName); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no %s here; a ceremony writes it, so make a plan first: pki plan --out FILE", ledgerName)
	}
	book, torn, err := ledger.Load(root.FS(), ledgerName)
	if err != nil {
		return fmt.Errorf("%s: %w", ledgerName, err)
	}
	v := &verification{Head: book.Head(), Withheld: book.Withheld()}
	if v.TreeHash, err = book.TreeHash(len(book.Entries)); err != nil {
		return err
	}
	a.verifyLedger(v, book, torn)
	verifyAuthorities(v, book.State(), a.now())
	verifyBackups(v, book.State())
	verifyProofs(v, book.State())
	for _, cross := range book.State().Crosses() {
		verifyCross(v, book.State(), cross, a.now())
	}
	for _, r := range book.State().Responders() {
		verifyResponder(v, book.State(), r, a.now())
	}
	if book.Observed() {
		err = verifyPublished(v, root, book)
	} else {
		err = a.verifyFiles(v, root, book.State())
	}
	if err != nil {
		return err
	}
	before, err := o.verifySince(v, book)
	if err != nil {
		return err
	}
	if o.out != "" && v.failures() == 0 {
		if err := a.writeHead(ctx, o, book, before); err != nil {
			return err
		}
		v.pass(o.out, "the tree head is written")
	}
	if err := a.emit("verify", v, func(w io.Writer) { printVerification(w, v) }); err != nil {
		return err
	}
	return a.verdict(v)
}

// verdict is the error of a verification that found something.
func (a *app) verdict(v *verification) error {
	n := v.failures()
	switch {
	case n > 0 && a.json:
		return &saidError{}
	case n > 0:
		return fmt.Errorf("%s failed; see above", count(n, "check"))
	}
	return nil
}

// verifyLedger reports what reading has proved: reading fails on anything
// that does not hold.
func (a *app) verifyLedger(v *verification, book *ledger.Book, torn []byte) {
	if n := book.Withheld(); n == 0 {
		v.pass("hash chain", "%s follow from each other and from their facts", count(len(book.Entries), "entry"))
	} else {
		v.pass("hash chain", "%s follow from each other, %d of them from their facts", count(len(book.Entries), "entry"), len(book.Entries)-n)
		v.pass("withheld", "%s left out of this copy, as %s", count(n, "fact"), withheldFrom(book))
		v.without = "They name\npeople, devices and media."
		if book.Observed() {
			v.without = "Plans are\namong them, so it is not proved that the bytes are those of an approved plan."
		}
	}
	ceremonies, signatures := 0, 0
	for _, e := range book.Entries {
		switch {
		case e.Fact == nil:
		case e.Fact.Begun != nil:
			ceremonies++
		case e.Fact.Certificate != nil, e.Fact.CRL != nil:
			signatures++
		}
	}
	if book.Observed() {
		v.pass("signatures", "%s verify under the recorded keys", count(signatures, "signature"))
	} else {
		v.pass("plans", "%s, each by the plan whose digest it names", count(ceremonies, "ceremony"))
		v.pass("signatures", "%s verify under the recorded keys, over the planned bytes", count(signatures, "signature"))
	}
	if open := book.State().Open; open != nil {
		v.fail("ceremony", "interrupted after %d of %d actions; go on with pki apply PLAN --resume", open.Done, len(open.Plan.Actions))
	}
	if len(torn) > 0 {
		v.fail("last line", "%d bytes of an entry that was cut short; pki apply PLAN --resume mends it", len(torn))
	}
}

// withheldFrom lists the audiences whose facts a copy leaves out.
func withheldFrom(book *ledger.Book) string {
	var words []string
	for _, a := range plan.Audiences() {
		if n := book.WithheldFrom(a); n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, a))
		}
	}
	return strings.Join(words, " and ")
}

// verifyAuthorities judges every authority, on all processors, and gives what
// it finds in the order of their addresses.
func verifyAuthorities(v *verification, s plan.State, now time.Time) {
	all := s.Authorities()
	found := make([]verification, len(all))
	inParallel(len(all), func(i int) { verifyAuthority(&found[i], s, all[i], now) })
	for _, one := range found {
		v.Checks = append(v.Checks, one.Checks...)
	}
}

// verifyAuthority builds the chain of one authority with Go's own verifier and
// holds its CRL against the clock.
func verifyAuthority(v *verification, s plan.State, authority plan.Authority, now time.Time) {
	if authority.Certificate == nil {
		return
	}
	what := authority.Address.String()
	certificate, err := x509.ParseCertificate(authority.Certificate)
	if err != nil {
		v.fail(what, "%s", err)
		return
	}
	root, known := s.Root(authority.Address)
	if !known {
		v.fail(what, "its chain does not end in a root of this ledger")
		return
	}
	chain, err := chainOf(s, authority.Address)
	if err == nil {
		err = public.CheckChain(chain, certificate.NotBefore)
	}
	if err != nil {
		v.fail(what, "its chain: %s", err)
		return
	}
	switch {
	case now.After(certificate.NotAfter):
		v.pass(what, "chain to %s; it ended on %s", root.Address, instant(certificate.NotAfter))
	case now.Before(certificate.NotBefore):
		v.pass(what, "chain to %s; it begins only on %s, so look at this host's clock", root.Address, instant(certificate.NotBefore))
	default:
		v.pass(what, "chain to %s, until %s", root.Address, instant(certificate.NotAfter))
	}
	due, _ := authority.Due(now)
	verifyCRL(v, what, due, now)
	if n := len(authority.Stack); n > 0 {
		v.pass(what, "%s signed ahead, the last until %s", count(n, "CRL"), instant(authority.Stack[n-1].NextUpdate))
	}
}

// chainOf reads an authority's chain, its root included.
func chainOf(s plan.State, of spec.Address) ([]*x509.Certificate, error) {
	var chain []*x509.Certificate
	for {
		authority, known := s.Authority(of)
		if !known {
			return nil, fmt.Errorf("the ledger has no %s", of)
		}
		c, err := x509.ParseCertificate(authority.Certificate)
		if err != nil {
			return nil, err
		}
		chain = append(chain, c)
		if authority.Issuer == of {
			return chain, nil
		}
		of = authority.Issuer
	}
}

func verifyCRL(v *verification, what string, der []byte, now time.Time) {
	if der == nil {
		return
	}
	list, err := x509.ParseRevocationList(der)
	switch {
	case err != nil:
		v.fail(what, "its CRL: %s", err)
	case now.After(list.NextUpdate):
		v.pass(what, "CRL %s ended on %s; publish its successor", list.Number, instant(list.NextUpdate))
	default:
		v.pass(what, "CRL %s, until %s", list.Number, instant(list.NextUpdate))
	}
}

// verifyFiles holds every derived file against the ledger, and reports files
// among them that the ledger does not give.
func (a *app) verifyFiles(v *verification, root *os.Root, s plan.State) error {
	files := s.Files()
	drifts, err := findDrift(root, settled(root, s, files))
	if err != nil {
		return err
	}
	for _, dir := range []string{"certs", "crls", "ocsp"} {
		extra, err := unexpected(root, dir, files)
		if err != nil {
			return err
		}
		drifts = append(drifts, extra...)
	}
	for _, d := range drifts {
		v.fail(d.Path, "%s", d.What)
	}
	if len(drifts) == 0 {
		v.pass("certs, crls", "%s as the ledger gives them", count(len(files), "file"))
	}
	return a.verifyRendered(v, root, s)
}

// verifyPublished holds the files beside a copy against the certificates and
// CRLs that it records.
func verifyPublished(v *verification, root *os.Root, book *ledger.Book) error {
	var files []plan.File
	for _, dir := range []string{"certs", "crls"} {
		there, err := unexpected(root, dir, nil)
		if err != nil {
			return err
		}
		for _, f := range there {
			text, err := root.ReadFile(f.Path)
			if err != nil {
				return err
			}
			files = append(files, plan.File{Path: f.Path, Data: text})
		}
	}
	sums, err := root.ReadFile(plan.SumsName)
	if ignoreMissing(err) != nil {
		return err
	}
	if err := checkPublished(book, append(files, plan.File{Path: plan.SumsName, Data: sums})); err != nil {
		v.fail("certs, crls", "%s", err)
	} else {
		v.pass("certs, crls", "%s consist of what the ledger records", count(len(files), "file"))
	}
	return nil
}

// verifyRendered holds the rendered trees against the estate, when there is a
// valid estate here; an auditor's copy may be the ledger alone.
func (a *app) verifyRendered(v *verification, root *os.Root, s plan.State) error {
	names, err := fs.Glob(root.FS(), "*.pki.hcl")
	if err != nil || len(names) == 0 {
		return err
	}
	estate, err := a.load(root, s.Variables)
	if err != nil {
		v.fail("estate", "it is not valid; see pki validate")
		return nil
	}
	trees, err := siteTree(estate, s)
	if err != nil {
		return err
	}
	ready := slices.DeleteFunc(slices.Clone(estate.OnlineCAs), func(o *spec.OnlineCA) bool { return len(render.Waiting(s, o)) > 0 })
	rendered, err := cleanTrees(estate, s, ready, time.Time{}) // a ledger is verified long after what it made has expired
	if err != nil {
		return err
	}
	trees = append(trees, rendered...)
	for _, t := range trees {
		drifts, err := findDrift(root, below(renderedDir, []tree{t}))
		if err != nil {
			return err
		}
		for _, d := range drifts {
			v.fail(d.Path, "%s; pki render writes it again", d.What)
		}
		if len(drifts) == 0 {
			v.pass("rendered/"+t.name, "%s as the estate gives them", count(len(t.files), "file"))
		}
	}
	return nil
}

func printChecks(w io.Writer, v *verification) {
	rows := make([]string, 0, len(v.Checks))
	for _, c := range v.Checks {
		word := "ok"
		if c.Failed {
			word = "FAILED"
		}
		rows = append(rows, fmt.Sprintf("  %s\t%s\t%s", word, c.What, c.Result))
	}
	table(w, rows...)
}

func printVerification(w io.Writer, v *verification) {
	printChecks(w, v)
	fmt.Fprintf(w, "\nLedger head  %s\nTree hash    %s\n", v.Head.Hash, v.TreeHash)
	fmt.Fprintf(w, `
Not proved by this: that the ledger was not replaced as a whole (compare the
head with one that was written down elsewhere), that no key was used outside
a ceremony, and who was in the room.
`)
	if v.Withheld > 0 {
		fmt.Fprintf(w, `
Nor by this copy: what stands in %s that %s left out. %s
It does hold every key, certificate and CRL in force: what was written for
everyone cannot be withheld. Whoever has the whole ledger proves the rest, and
that it is the same one, by the head.
`, count(v.Withheld, "entry"), isAre(v.Withheld), v.without)
	}
}

func isAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}
