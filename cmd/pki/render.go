package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pki.internal/lint"
	"pki.internal/plan"
	"pki.internal/render"
	"pki.internal/spec"
)

type renderOptions struct {
	out   string
	check bool
	diff  bool
	only  []string
	vars  variables
}

func renderCommand(a *app) *cobra.Command {
	var o renderOptions
	c := &cobra.Command{
		Use:   "render [NAME…]",
		Short: "Write the configuration of online CAs",
		Long: `Write one tree for each online CA: what goes to /etc/step-ca. Rendering needs no
key and no secret, and gives the same bytes every time. With --check nothing is
written; a difference is shown, value by value, and exits 2. --diff shows the
same and exits 0. A file that was edited by hand is named; rendering undoes it.`,
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: a.completeFrom(onlineCAAddresses, spec.Address.FileName),
		RunE:              func(_ *cobra.Command, names []string) error { return a.render(append(names, o.only...), o) },
	}
	c.Flags().StringVar(&o.out, "out", "", "write below this folder instead of rendered/ in the estate")
	c.Flags().BoolVar(&o.check, "check", false, "change nothing; show differences and exit 2 when there are any")
	c.Flags().BoolVar(&o.diff, "diff", false, "change nothing; show what rendering would change")
	c.Flags().StringArrayVar(&o.only, "only", nil, "render this online CA and no other; may be repeated")
	o.vars.flags(c)
	return c
}

// renderedDir is where trees lie in an estate (a contract).
const renderedDir = "rendered"

func (a *app) render(names []string, o renderOptions) error {
	root, err := a.folder()
	if err != nil {
		return err
	}
	defer root.Close()
	vars, err := parseVars(o.vars)
	if err != nil {
		return err
	}
	estate, err := a.load(root, vars)
	if err != nil {
		return err
	}
	book, err := a.book(root)
	if err != nil {
		return err
	}
	trees, err := a.chooseTrees(estate, book.State(), names)
	if err != nil {
		return err
	}
	target, base := root, renderedDir
	if o.out != "" {
		if !o.check && !o.diff {
			if err := os.MkdirAll(o.out, 0o755); err != nil {
				return err
			}
		}
		if target, err = os.OpenRoot(o.out); err != nil {
			return err
		}
		defer target.Close()
		base = "."
	}
	files := below(base, trees)
	if o.check || o.diff {
		return a.compareTrees(target, files, trees, base, o.check)
	}
	all, err := replaceTrees(target, base, trees)
	if err != nil {
		return err
	}
	result := map[string]any{"written": all.Written, "files": len(files)}
	if len(all.Undone)+len(all.Removed) > 0 {
		result["undone"], result["removed"] = all.Undone, all.Removed
	}
	return a.emit("render", result, func(w io.Writer) {
		fmt.Fprintf(w, "%s rendered, %d changed.\n", count(len(files), "file"), len(all.Written))
		all.print(w)
	})
}

// tree is the rendered tree of one online CA.
type tree struct {
	name  string
	files []plan.File
}

// chooseTrees renders the named online CAs, or all of them.
func (a *app) chooseTrees(e *spec.Estate, s plan.State, names []string) ([]tree, error) {
	var trees []tree
	known := []string{}
	if len(names) == 0 || slices.Contains(names, render.SiteName) {
		site, err := siteTree(e, s)
		if err != nil {
			return nil, err
		}
		trees = append(trees, site...)
	}
	var chosen []*spec.OnlineCA
	for _, o := range e.OnlineCAs {
		name := o.Address.FileName()
		known = append(known, name)
		if len(names) == 0 || slices.Contains(names, name) || slices.Contains(names, o.Address.String()) {
			chosen = append(chosen, o)
		}
	}
	rendered, err := cleanTrees(e, s, chosen, a.now())
	if err != nil {
		return nil, err
	}
	trees = append(trees, rendered...)
	for _, n := range names {
		if n != render.SiteName && !slices.Contains(known, strings.TrimPrefix(n, "online_ca.")) {
			return nil, &usageError{fmt.Errorf("the estate has no online CA %q; it has %s", n, strings.Join(known, ", "))}
		}
	}
	return trees, nil
}

// cleanTrees renders online CAs on every processor. Their order, and which
// error is told, is that of the estate.
func cleanTrees(e *spec.Estate, s plan.State, all []*spec.OnlineCA, now time.Time) ([]tree, error) {
	linter, err := lint.New(cmp.Or(e.Lint.Profile, "private"))
	if err != nil {
		return nil, err
	}
	trees := make([]tree, len(all))
	err = tryInParallel(len(all), func(i int) error {
		files, err := cleanTree(linter, e, s, all[i], now)
		trees[i] = tree{all[i].Address.FileName(), files}
		return err
	})
	if err != nil {
		return nil, err
	}
	return trees, nil
}

// siteTree renders the site that publishes CRLs and certificates: one tree, or
// none when nothing is to be published.
func siteTree(e *spec.Estate, s plan.State) ([]tree, error) {
	files, err := render.Site(e, s)
	if err != nil || len(files) == 0 {
		return nil, err
	}
	return []tree{{render.SiteName, files}}, nil
}

// cleanTree renders one online CA and has the tree judged as step-ca would
// read it, for step-ca itself starts with nearly anything.
func cleanTree(linter *lint.Linter, e *spec.Estate, s plan.State, o *spec.OnlineCA, now time.Time) ([]plan.File, error) {
	files, err := render.Tree(e, s, o)
	if err != nil {
		return nil, err
	}
	judged := make([]lint.File, 0, len(files))
	for _, f := range files {
		judged = append(judged, lint.File{Path: f.Path, Mode: f.Mode, Data: f.Data})
	}
	object := o.Origin.Address.String()
	if findings, pass := (lint.Policy{}).Judge(object, linter.StepCAAt(judged, now), now); !pass {
		return nil, &lint.Refused{Object: object, Findings: findings}
	}
	return files, nil
}

// below puts trees under a folder, each in one of its own name.
func below(base string, trees []tree) []plan.File {
	var files []plan.File
	for _, t := range trees {
		for _, f := range t.files {
			f.Path = path.Join(base, t.name, f.Path)
			files = append(files, f)
		}
	}
	return files
}

// writeChanged writes what is missing or different and says what it wrote.
func writeChanged(root *os.Root, files []plan.File) ([]string, error) {
	written := []string{}
	for _, f := range files {
		have, err := root.ReadFile(f.Path)
		if err == nil && bytes.Equal(have, f.Data) {
			continue
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return written, err
		}
		if err := (folderFiles{root}).Write(f); err != nil {
			return written, err
		}
		written = append(written, f.Path)
	}
	return written, nil
}

func (r *replacement) print(w io.Writer) {
	for _, name := range r.Written {
		note := ""
		if slices.Contains(r.Undone, name) {
			note = "   an edit by hand was undone"
		}
		fmt.Fprintf(w, "  %s%s\n", name, note)
	}
	for _, name := range r.Removed {
		fmt.Fprintf(w, "  %s   removed: nothing in the estate gives it any more\n", name)
	}
}

// rendering is what a render in passing gave.
type rendering struct {
	Written []string
	Waiting map[string][]spec.Address // online CAs that cannot be rendered yet
}

// writeRendered renders every online CA that waits for nothing.
func (a *app) writeRendered(root *os.Root, e *spec.Estate, s plan.State) (rendering, error) {
	r := rendering{Waiting: map[string][]spec.Address{}}
	site, err := siteTree(e, s)
	if err != nil {
		return r, err
	}
	published, err := replaceTrees(root, renderedDir, site)
	r.Written = append(r.Written, published.Written...)
	if err != nil {
		return r, err
	}
	var ready []*spec.OnlineCA
	for _, o := range e.OnlineCAs {
		if waiting := render.Waiting(s, o); len(waiting) > 0 {
			r.Waiting[o.Address.String()] = waiting
			continue
		}
		ready = append(ready, o)
	}
	trees, err := cleanTrees(e, s, ready, a.now())
	if err != nil {
		return r, err
	}
	all, err := replaceTrees(root, renderedDir, trees)
	r.Written = append(r.Written, all.Written...)
	return r, err
}

// applyRender is pki apply without a plan.
func (a *app) applyRender(given variables) error {
	root, err := a.folder()
	if err != nil {
		return err
	}
	defer root.Close()
	vars, err := parseVars(given)
	if err != nil {
		return err
	}
	estate, err := a.load(root, vars)
	if err != nil {
		return err
	}
	book, err := a.book(root)
	if err != nil {
		return err
	}
	s := book.State()
	written, err := writeChanged(root, settled(root, s, s.Files()))
	if err != nil {
		return err
	}
	r, err := a.writeRendered(root, estate, s)
	if err != nil {
		return err
	}
	written = append(written, r.Written...)
	waiting, err := a.waiting(estate, s, vars)
	if err != nil {
		return err
	}
	return a.emit("apply", map[string]any{"written": written, "waiting": waiting}, func(w io.Writer) {
		fmt.Fprintf(w, "%s written.\n", count(len(written), "file"))
		for _, name := range written {
			fmt.Fprintf(w, "  %s\n", name)
		}
		if len(waiting) > 0 {
			fmt.Fprintf(w, "\nWaiting for a ceremony:\n")
			for _, action := range waiting {
				fmt.Fprintf(w, "  - %s\n", action)
			}
			fmt.Fprintf(w, "\nNext: pki plan --out FILE, a review, and pki apply FILE.\n")
		}
	})
}

// waiting lists the actions that only a ceremony can do.
func (a *app) waiting(e *spec.Estate, s plan.State, vars map[string]string) ([]string, error) {
	names := []string{}
	if s.Open != nil {
		for _, action := range s.Open.Plan.Actions[s.Open.Done:] {
			names = append(names, actionName(action)+" (interrupted; pki apply PLAN --resume)")
		}
		return names, nil
	}
	p, diags := plan.Make(e, s, plan.Inputs{At: a.now(), Window: spec.Duration{Days: 1}, Variables: vars})
	if diags.HasErrors() {
		return nil, diags
	}
	for _, action := range p.Actions {
		names = append(names, actionName(action))
	}
	return names, nil
}

// nextSteps says what people do after a ceremony.
func (a *app) nextSteps(e *spec.Estate, s plan.State) []string {
	steps := []string{a.self() + " verify replays the ledger and every signature; it needs no key"}
	for _, o := range e.OnlineCAs {
		if len(render.Waiting(s, o)) > 0 {
			continue
		}
		steps = append(steps, fmt.Sprintf("copy rendered/%s to /etc/step-ca on its host; INSTALL.txt in it says which key and password go along", o.Address.FileName()))
	}
	for _, a := range e.Authorities {
		have, _ := s.Authority(a.Address)
		if have.Certificate == nil && a.CertifiedElsewhere() && a.Key != nil {
			steps = append(steps, fmt.Sprintf("send certs/%s.csr to %s, and name what comes back in an import block of %s", a.Address.FileName(), a.Issuer.Address, a.Address))
		}
		if len(a.CAIssuersURLs) > 0 && have.Certificate != nil {
			steps = append(steps, fmt.Sprintf("publish certs/%s.cer at %s", a.Address.FileName(), a.CAIssuersURLs[0]))
		}
		if a.CRL != nil && a.Key != nil && len(a.CRL.URLs) > 0 && have.CRL != nil {
			steps = append(steps, fmt.Sprintf("publish crls/%s.crl at %s", a.Address.FileName(), a.CRL.URLs[0]))
		}
	}
	return append(steps, "commit "+ledgerName+", "+plan.SumsName+", certs, crls and rendered; keys and secrets stay out of Git")
}
