package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pki.internal/lint"
)

type lintOptions struct {
	clients, weakKeys                                            []string
	issuer, previous, profile, format, failOn, explain, logs, at string
	bulk, list                                                   bool
}

func lintCommand(a *app) *cobra.Command {
	var o lintOptions
	c := &cobra.Command{
		Use:   "lint FILE…",
		Short: "Judge certificates, CRLs, requests and step-ca trees",
		Long: `Judge what a careful relying party would say of certificates, CRLs,
certificate requests and OCSP responses, in PEM, DER or PKCS #7, of SSH
certificates, of ca.json, templates and systemd units of step-ca, of estates
(secrets that are written out), and of folders as they stand in /etc/step-ca.
A folder that holds an estate is judged as a whole, too, with its ledger. What a
file holds is told by its content. Any other folder is searched for such
files, on all processors, and - is standard input.

What is named in one call is judged together: issuers are found among the
certificates, each list is compared with the one before, and numbers, names and
keys with those of all others. Exits 2 when something is found at or above
--fail-on.`,
		Args: func(_ *cobra.Command, names []string) error {
			if len(names) == 0 && !o.list && o.explain == "" {
				return errors.New("lint takes at least one file or folder, or - for standard input")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, names []string) error { return a.lint(names, o) },
	}
	c.Flags().StringVar(&o.issuer, "issuer", "", "certificate of the issuer, and of those above it, to judge the chain")
	c.Flags().StringVar(&o.at, "at", "", "the date to judge for, RFC 3339 or a day such as 2027-06-01 (default: now)")
	c.Flags().StringVar(&o.previous, "previous", "", "the issuer's previous CRL, to judge the succession")
	c.Flags().StringVar(&o.profile, "profile", "private", strings.Join(lint.Profiles(), ", "))
	c.Flags().StringArrayVar(&o.clients, "client", nil, "who must be able to verify it, such as go-1.26; may be repeated")
	c.Flags().StringVar(&o.logs, "ct-logs", "", "list of certificate transparency logs, as browsers publish it; verifies timestamps")
	c.Flags().StringArrayVar(&o.weakKeys, "weak-keys", nil, "list of known keys, as Debian's openssl-blacklist has them; may be repeated")
	c.Flags().StringVar(&o.format, "format", "text", "text, json, sarif or junit")
	completeFlag(c, "format", "text", "json", "sarif", "junit")
	c.Flags().StringVar(&o.failOn, "fail-on", "warn", "notice, warn or error")
	c.Flags().BoolVar(&o.bulk, "bulk", false, "leave out the slow searches for private keys")
	c.Flags().BoolVar(&o.list, "list", false, "list the rules of the profile, ours and zlint's")
	c.Flags().StringVar(&o.explain, "explain", "", "say what one rule is about: who was bitten, where it is written, what to do")
	return c
}

// judged is one object with what was found.
type judged struct {
	File     string
	Kind     string
	Findings []lint.Finding

	path, object string // the file, and which object of it where it holds several
	line         int    // where the object begins; 0 where lines mean nothing
}

// MarshalJSON writes a judged object with all that is known of each finding.
func (j judged) MarshalJSON() ([]byte, error) {
	type finding struct {
		lint.Finding
		Harm string `json:"harm,omitempty"`
	}
	findings := make([]finding, len(j.Findings)) // an empty list, not null
	for i, f := range j.Findings {
		findings[i] = finding{f, f.Harm}
	}
	return json.Marshal(struct {
		File     string    `json:"file"`
		Line     int       `json:"line,omitempty"`
		Kind     string    `json:"kind"`
		Findings []finding `json:"findings"`
	}{j.File, j.line, j.Kind, findings})
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
	bench, err := a.bench(linter, o)
	if err != nil {
		return err
	}
	all, err := bench.judgeAll(names)
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
		reports = append(reports, lint.Report{File: j.path, Object: j.object, Line: j.line, Findings: j.Findings})
	}
	return reports
}

// ruleShown is a rule as --list and --explain show it.
type ruleShown struct {
	ID        string        `json:"id"`
	Severity  lint.Severity `json:"severity"`
	Object    string        `json:"object"`
	Title     string        `json:"title"`
	Harm      string        `json:"harm,omitempty"`
	Citation  string        `json:"citation"`
	Effective string        `json:"effective"`
	Advice    string        `json:"advice"`
	Source    string        `json:"source"`
}

// lintRules lists the rules of the profile, ours first, or explains one.
func (a *app) lintRules(linter *lint.Linter, id string) error {
	var rules []ruleShown
	add := func(all []lint.Rule, source string) {
		for _, r := range all {
			if id == "" || id == r.ID {
				rules = append(rules, ruleShown{r.ID, r.Severity, r.Object, r.Title, r.Harm, r.Citation, r.Effective.Format(time.DateOnly), r.Advice, source})
			}
		}
	}
	add(linter.Rules(), lint.SourcePKI)
	add(linter.ZLintRules(), "zlint")
	if len(rules) == 0 {
		return &usageError{fmt.Errorf("profile %s has no rule with the id %q; pki lint --list shows all, and --profile chooses another one", linter.Profile(), id)}
	}
	return a.emit("lint", rules, func(w io.Writer) {
		for _, r := range rules {
			if id == "" {
				fmt.Fprintf(w, "%-42s %-6s %s\n", r.ID, r.Severity, r.Title)
				continue
			}
			fmt.Fprintf(w, "%s\n\n  %s.\n\n  severity    %s\n  judges      %s\n  written in  %s\n  counts from %s\n", r.ID, r.Title, r.Severity, r.Object, r.Citation, r.Effective)
			if r.Harm != "" {
				fmt.Fprintf(w, "  who was hit %s\n", r.Harm)
			}
			fmt.Fprintf(w, "  what to do  %s\n", r.Advice)
		}
	})
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

func printJudged(w io.Writer, all []judged) {
	for _, j := range all {
		if j.Kind == kindKey {
			fmt.Fprintf(w, "%s: %s\n", j.File, j.Kind)
			continue
		}
		if len(j.Findings) == 0 {
			fmt.Fprintf(w, "%s: %s, nothing found\n", j.File, j.Kind)
			continue
		}
		fmt.Fprintf(w, "%s: %s, %s\n", j.File, j.Kind, count(len(j.Findings), "finding"))
		for _, f := range j.Findings {
			fmt.Fprintf(w, "  %s\n", findingLines([]lint.Finding{f})[0])
			if f.Harm != "" {
				fmt.Fprintf(w, "    who was hit: %s\n", f.Harm)
			}
			if f.Advice != "" {
				fmt.Fprintf(w, "    what to do: %s\n", f.Advice)
			}
		}
	}
}
