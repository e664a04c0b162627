package main

import (
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"pki.internal/lint"
)

type lintOptions struct {
	clients, weakKeys                                        []string
	issuer, previous, profile, format, failOn, explain, logs string
	bulk, list                                               bool
}

func lintCommand(a *app) *cobra.Command {
	var o lintOptions
	c := &cobra.Command{
		Use:   "lint FILE…",
		Short: "Judge certificates, CRLs, requests and step-ca trees",
		Long: `Judge what a careful relying party would say of certificates, CRLs and
certificate requests, in PEM or DER, of SSH certificates, of systemd units that
start step-ca, of estates (secrets that are written out), and of folders as they
stand in /etc/step-ca. Any other folder is searched for such files, on all
processors, and - is standard input. Exits 2 when something is
found at or above --fail-on.`,
		Args: func(_ *cobra.Command, names []string) error {
			if len(names) == 0 && !o.list && o.explain == "" {
				return errors.New("lint takes at least one file or folder, or - for standard input")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, names []string) error { return a.lint(names, o) },
	}
	c.Flags().StringVar(&o.issuer, "issuer", "", "certificate of the issuer, to judge the pair")
	c.Flags().StringVar(&o.previous, "previous", "", "the issuer's previous CRL, to judge the succession")
	c.Flags().StringVar(&o.profile, "profile", "private", strings.Join(lint.Profiles(), " or "))
	c.Flags().StringArrayVar(&o.clients, "client", nil, "who must be able to verify it, such as go-1.26; may be repeated")
	c.Flags().StringVar(&o.logs, "ct-logs", "", "list of certificate transparency logs, as browsers publish it; verifies timestamps")
	c.Flags().StringArrayVar(&o.weakKeys, "weak-keys", nil, "list of known keys, as Debian's openssl-blacklist has them; may be repeated")
	c.Flags().StringVar(&o.format, "format", "text", "text, json, sarif or junit")
	completeFlag(c, "format", "text", "json", "sarif", "junit")
	c.Flags().StringVar(&o.failOn, "fail-on", "warn", "notice, warn or error")
	c.Flags().BoolVar(&o.bulk, "bulk", false, "leave out the slow searches for private keys")
	c.Flags().BoolVar(&o.list, "list", false, "list our own rules")
	c.Flags().StringVar(&o.explain, "explain", "", "say what one of our own rules is about")
	return c
}

// judged is one object with what was found.
type judged struct {
	File     string         `json:"file"`
	Kind     string         `json:"kind"`
	Findings []lint.Finding `json:"findings"`

	path, object string // the file, and which object of it where it holds several
}

func (a *app) lint(names []string, o lintOptions) error {
	if !slices.Contains([]string{"text", "json", "sarif", "junit"}, o.format) {
		return &usageError{fmt.Errorf("--format %s: use text, json, sarif or junit", o.format)}
	}
	a.json = a.json || o.format == "json"
	linter, err := lint.New(o.profile)
	if err != nil {
		return &usageError{err}
	}
	for _, c := range o.clients {
		if !slices.Contains(lint.Clients(), c) {
			return &usageError{fmt.Errorf("--client %s: use %s", c, strings.Join(lint.Clients(), ", "))}
		}
	}
	failOn, err := lint.ParseSeverity(o.failOn)
	if err != nil {
		return &usageError{err}
	}
	if o.list || o.explain != "" {
		return a.lintRules(linter, o.explain)
	}
	bench := bench{linter: linter, app: a, bulk: o.bulk, clients: o.clients}
	if bench.issuer, err = optionalDER(o.issuer); err != nil {
		return err
	}
	if bench.previous, err = optionalDER(o.previous); err != nil {
		return err
	}
	if bench.weakKeys, err = readWeakKeys(o.weakKeys); err != nil {
		return err
	}
	if o.logs != "" {
		text, err := os.ReadFile(o.logs)
		if err != nil {
			return err
		}
		if bench.logs, err = lint.ReadLogs(text); err != nil {
			return fmt.Errorf("%s: %w", o.logs, err)
		}
	}
	all, err := inParallel(names, bench.judge)
	if err != nil {
		return err
	}
	switch o.format {
	case "sarif":
		err = a.sarif(linter, all)
	case "junit":
		err = a.junit(all, failOn)
	default:
		err = a.emit("lint", all, func(w io.Writer) { printJudged(w, all) })
	}
	if err != nil {
		return err
	}
	for _, j := range all {
		for _, f := range j.Findings {
			if f.Severity >= failOn {
				return &changesError{}
			}
		}
	}
	return nil
}

// sarif writes what was found for code hosts and editors.
func (a *app) sarif(linter *lint.Linter, all []judged) error {
	log, err := linter.SARIF(toolVersion(), reports(all))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.stdout, "%s\n", log)
	return err
}

// junit writes what was found for CI systems.
func (a *app) junit(all []judged, failOn lint.Severity) error {
	out, err := lint.JUnit(reports(all), failOn)
	if err != nil {
		return err
	}
	_, err = a.stdout.Write(out)
	return err
}

func reports(all []judged) []lint.Report {
	reports := make([]lint.Report, 0, len(all))
	for _, j := range all {
		reports = append(reports, lint.Report{File: j.path, Object: j.object, Findings: j.Findings})
	}
	return reports
}

// lintRules lists our own rules, or explains one.
func (a *app) lintRules(linter *lint.Linter, id string) error {
	type rule struct {
		ID        string        `json:"id"`
		Severity  lint.Severity `json:"severity"`
		Object    string        `json:"object"`
		Title     string        `json:"title"`
		Citation  string        `json:"citation"`
		Effective string        `json:"effective"`
		Advice    string        `json:"advice"`
	}
	var rules []rule
	for _, r := range linter.Rules() {
		if id == "" || id == r.ID {
			rules = append(rules, rule{r.ID, r.Severity, r.Object, r.Title, r.Citation, r.Effective.Format(time.DateOnly), r.Advice})
		}
	}
	if len(rules) == 0 {
		return &usageError{fmt.Errorf("no rule of our own has the id %q; pki lint --list shows them, the rest are zlint's", id)}
	}
	return a.emit("lint", rules, func(w io.Writer) {
		for _, r := range rules {
			if id == "" {
				fmt.Fprintf(w, "%-42s %s\n", r.ID, r.Title)
				continue
			}
			fmt.Fprintf(w, "%s\n\n  %s.\n\n  severity    %s\n  judges      %s\n  written in  %s\n  counts from %s\n  what to do  %s\n",
				r.ID, r.Title, r.Severity, r.Object, r.Citation, r.Effective, r.Advice)
		}
	})
}

// bench is what objects are judged with.
type bench struct {
	linter           *lint.Linter
	app              *app
	issuer, previous []byte
	bulk             bool
	clients          []string
	weakKeys         *lint.WeakKeys
	logs             *lint.Logs
}

func (b *bench) judge(name string) ([]judged, error) {
	if name == "-" {
		text, err := io.ReadAll(os.Stdin)
		if err != nil {
			return nil, err
		}
		return b.judgeText("-", text), nil
	}
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return b.judgeFolder(name)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return b.judgeText(name, text), nil
}

// judgeFolder judges a step-ca tree as one object, and otherwise every file
// that looks like something to judge.
func (b *bench) judgeFolder(name string) ([]judged, error) {
	if _, err := os.Stat(filepath.Join(name, "config", "ca.json")); err == nil {
		tree, err := readTree(name)
		if err != nil {
			return nil, err
		}
		return []judged{{File: name, Kind: "step-ca tree", Findings: b.linter.StepCAAt(tree, b.app.now()), path: name}}, nil
	}
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	var files []string
	err = fs.WalkDir(root.FS(), ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Size() <= maxObject {
			files = append(files, p)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	all, err := inParallel(files, func(p string) ([]judged, error) {
		text, err := root.ReadFile(p)
		if err != nil || !judgeable(p, text) {
			return nil, err
		}
		return b.judgeText(filepath.Join(name, p), text), nil
	})
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("%s has no config/ca.json and no certificate, CRL, request, SSH certificate or unit; name a file, or a step-ca folder such as /etc/step-ca", name)
	}
	return all, err
}

// inParallel judges on every processor, and gives what was found in the order
// of what was asked, or the first error in that order.
func inParallel(names []string, judge func(string) ([]judged, error)) ([]judged, error) {
	found, errs := make([][]judged, len(names)), make([]error, len(names))
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(names)) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(names); i = int(next.Add(1)) - 1 {
				found[i], errs[i] = judge(names[i])
			}
		})
	}
	workers.Wait()
	if i := slices.IndexFunc(errs, func(err error) bool { return err != nil }); i >= 0 {
		return nil, errs[i]
	}
	return slices.Concat(found...), nil
}

// maxObject bounds the files that a search through a folder opens: the largest
// CRLs there are have some tens of megabytes.
const maxObject = 64 << 20

// judgeable says whether a file that was found, and not named, is worth a
// judgement.
func judgeable(name string, text []byte) bool {
	if strings.HasSuffix(name, ".service") {
		return strings.Contains(string(text), "step-ca")
	}
	if lint.IsSSH(text) || strings.HasSuffix(name, ".pki.hcl") {
		return true
	}
	ders, types := split(text)
	if types[0] == "" {
		_, err := describeDER(ders[0])
		return err == nil
	}
	return strings.Contains(types[0], "CERTIFICATE") || strings.Contains(types[0], "CRL")
}

// judgeText judges what is in one file.
func (b *bench) judgeText(name string, text []byte) []judged {
	switch {
	case strings.HasSuffix(name, ".pki.hcl"):
		facts := lint.Estate{Texts: []lint.File{{Path: filepath.Base(name), Data: text}}}
		return []judged{{File: name, Kind: "estate", Findings: b.linter.Estate(facts, b.app.now()), path: name}}
	case strings.HasSuffix(name, ".service"):
		return []judged{{File: name, Kind: "unit", Findings: b.linter.Unit(lint.File{Path: filepath.Base(name), Data: text}), path: name}}
	case lint.IsSSH(text):
		return []judged{{File: name, Kind: "SSH certificate", Findings: b.linter.SSH(lint.SSHCertificate{Data: text}, b.app.now()), path: name}}
	}
	ders, types := split(text)
	all := make([]judged, 0, len(ders))
	for i, der := range ders {
		j := b.judgeDER(der, types[i])
		j.File, j.path = name, name
		if len(ders) > 1 {
			j.object = fmt.Sprintf("object %d", i+1)
			j.File += ", " + j.object
		}
		all = append(all, j)
	}
	return all
}

// split takes PEM apart; anything else is one DER object.
func split(text []byte) (ders [][]byte, types []string) {
	for rest := text; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		ders, types = append(ders, block.Bytes), append(types, block.Type)
	}
	if len(ders) == 0 {
		return [][]byte{text}, []string{""}
	}
	return ders, types
}

// judgeDER tells the kind of an object by its PEM type, or by what it parses
// as. Anything that parses as nothing is judged as a certificate, which says
// what is wrong with it.
func (b *bench) judgeDER(der []byte, pemType string) judged {
	kind := pemType
	if kind == "" {
		if s, err := describeDER(der); err == nil {
			kind = s.Kind
		}
	}
	now := b.app.now()
	switch {
	case strings.Contains(kind, "OCSP"), kind == "" && lint.IsOCSP(der):
		return judged{Kind: "OCSP response", Findings: b.linter.OCSP(lint.OCSPResponse{DER: der, Responder: b.issuer}, now)}
	case strings.Contains(kind, "REQUEST"), kind == "Certificate request":
		return judged{Kind: "request", Findings: b.linter.CSR(der)}
	case strings.Contains(kind, "CRL"), kind == "Certificate revocation list":
		return judged{Kind: "CRL", Findings: b.linter.CRL(lint.CRL{DER: der, Issuer: b.issuer, Previous: b.previous}, now)}
	}
	issuer := b.issuer
	if bytes.Equal(issuer, der) {
		issuer = nil // a root is its own issuer
	}
	return judged{Kind: "certificate", Findings: b.linter.Certificate(lint.Certificate{DER: der, Issuer: issuer, Preview: b.bulk, Clients: b.clients, WeakKeys: b.weakKeys, Logs: b.logs}, now)}
}

// readWeakKeys reads lists of known keys; nil when none is named.
func readWeakKeys(names []string) (*lint.WeakKeys, error) {
	var all *lint.WeakKeys
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		if all == nil {
			all = &lint.WeakKeys{}
		}
		err = all.Add(f)
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return all, nil
}

func optionalDER(name string) ([]byte, error) {
	if name == "" {
		return nil, nil
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	ders, _ := split(text)
	return ders[0], nil
}

// maxTree bounds a step-ca tree: configuration, certificates and templates.
const maxTree = 1000

// readTree reads a folder as step-ca would see it, without its database.
func readTree(dir string) ([]lint.File, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	var tree []lint.File
	err = fs.WalkDir(root.FS(), ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && p == "db" {
			return fs.SkipDir
		}
		if !d.Type().IsRegular() {
			return nil
		}
		if len(tree) == maxTree {
			return fmt.Errorf("%s holds more than %d files; name the step-ca folder itself", dir, maxTree)
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		data, err := root.ReadFile(filepath.ToSlash(p))
		tree = append(tree, lint.File{Path: filepath.ToSlash(p), Mode: info.Mode(), Data: data})
		return err
	})
	return tree, err
}

func printJudged(w io.Writer, all []judged) {
	for _, j := range all {
		if len(j.Findings) == 0 {
			fmt.Fprintf(w, "%s: %s, nothing found\n", j.File, j.Kind)
			continue
		}
		fmt.Fprintf(w, "%s: %s, %s\n", j.File, j.Kind, count(len(j.Findings), "finding"))
		for _, f := range j.Findings {
			fmt.Fprintf(w, "  %s\n", findingLines([]lint.Finding{f})[0])
			if f.Advice != "" {
				fmt.Fprintf(w, "    %s\n", f.Advice)
			}
		}
	}
}
