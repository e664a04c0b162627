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
	"strings"

	"github.com/spf13/cobra"

	"pki.internal/lint"
)

type lintOptions struct{ issuer, previous, profile, format, failOn string }

func lintCommand(a *app) *cobra.Command {
	var o lintOptions
	c := &cobra.Command{
		Use:   "lint FILE…",
		Short: "Judge certificates, CRLs, requests and step-ca trees",
		Long: `Judge what a careful relying party would say of certificates, CRLs and
certificate requests, in PEM or DER, and of folders as they stand in
/etc/step-ca. Exits 2 when something is found at or above --fail-on.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, names []string) error { return a.lint(names, o) },
	}
	c.Flags().StringVar(&o.issuer, "issuer", "", "certificate of the issuer, to judge the pair")
	c.Flags().StringVar(&o.previous, "previous", "", "the issuer's previous CRL, to judge the succession")
	c.Flags().StringVar(&o.profile, "profile", "private", strings.Join(lint.Profiles(), " or "))
	c.Flags().StringVar(&o.format, "format", "text", "text or json")
	c.Flags().StringVar(&o.failOn, "fail-on", "warn", "notice, warn or error")
	return c
}

// judged is one object with what was found.
type judged struct {
	File     string         `json:"file"`
	Kind     string         `json:"kind"`
	Findings []lint.Finding `json:"findings"`
}

func (a *app) lint(names []string, o lintOptions) error {
	if o.format != "text" && o.format != "json" {
		return &usageError{fmt.Errorf("--format %s: use text or json", o.format)}
	}
	a.json = a.json || o.format == "json"
	linter, err := lint.New(o.profile)
	if err != nil {
		return &usageError{err}
	}
	failOn, err := lint.ParseSeverity(o.failOn)
	if err != nil {
		return &usageError{err}
	}
	bench := bench{linter: linter, app: a}
	if bench.issuer, err = optionalDER(o.issuer); err != nil {
		return err
	}
	if bench.previous, err = optionalDER(o.previous); err != nil {
		return err
	}
	var all []judged
	for _, name := range names {
		found, err := bench.judge(name)
		if err != nil {
			return err
		}
		all = append(all, found...)
	}
	if err := a.emit("lint", all, func(w io.Writer) { printJudged(w, all) }); err != nil {
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

// bench is what objects are judged with.
type bench struct {
	linter           *lint.Linter
	app              *app
	issuer, previous []byte
}

func (b *bench) judge(name string) ([]judged, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		tree, err := readTree(name)
		if err != nil {
			return nil, err
		}
		return []judged{{name, "step-ca tree", b.linter.StepCA(tree)}}, nil
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	ders, types := split(text)
	all := make([]judged, 0, len(ders))
	for i, der := range ders {
		label := name
		if len(ders) > 1 {
			label = fmt.Sprintf("%s, object %d", name, i+1)
		}
		all = append(all, b.judgeDER(label, der, types[i]))
	}
	return all, nil
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
func (b *bench) judgeDER(label string, der []byte, pemType string) judged {
	kind := pemType
	if kind == "" {
		if s, err := describeDER(der); err == nil {
			kind = s.Kind
		}
	}
	now := b.app.now()
	switch {
	case strings.Contains(kind, "REQUEST"), kind == "Certificate request":
		return judged{label, "request", b.linter.CSR(der)}
	case strings.Contains(kind, "CRL"), kind == "Certificate revocation list":
		return judged{label, "CRL", b.linter.CRL(lint.CRL{DER: der, Issuer: b.issuer, Previous: b.previous}, now)}
	}
	issuer := b.issuer
	if bytes.Equal(issuer, der) {
		issuer = nil // a root is its own issuer
	}
	return judged{label, "certificate", b.linter.Certificate(lint.Certificate{DER: der, Issuer: issuer}, now)}
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
	if _, err := root.Stat("config/ca.json"); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s has no config/ca.json; name a step-ca folder such as /etc/step-ca", dir)
	}
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
