package main

import (
	"bytes"
	_ "embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"rsc.io/qr"

	"pki.internal/ceremony/script"
	"pki.internal/plan"
)

func ceremonyScriptCommand(a *app) *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "script PLAN",
		Short: "The steps of a ceremony, as text or as pages for the table",
		Long: `Write down what everyone in the room does, step by step, for one plan: who acts,
what is read aloud, what the screen shows, what must come of it, what cannot be
undone, and how long it takes. pki apply walks through the same steps with the
same numbers. With --html it is a document to print, A4 or Letter, with a box for
each initial, sheets for exceptions, and the digest of the plan in words and as a
QR code.`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return a.ceremonyScript(args[0], out) },
	}
	c.Flags().StringVar(&out, "html", "", "write the pages to this new file")
	return c
}

// scriptResult is a script as JSON.
type scriptResult struct {
	Plan    string        `json:"plan"` // digest, hex
	Variant string        `json:"variant"`
	Minutes int           `json:"minutes"`
	Swaps   int           `json:"swaps"`
	Final   int           `json:"final_step"`
	Roles   []string      `json:"roles"`
	Steps   []script.Step `json:"steps"`
	After   []plan.Duty   `json:"after"`
}

func (a *app) ceremonyScript(name, out string) error {
	p, digest, err := readPlan(name)
	if err != nil {
		return err
	}
	s, err := script.Of(p)
	if err != nil {
		return err
	}
	if len(s.Steps) == 0 {
		return fmt.Errorf("%s has no action, so there is no ceremony to write a script for", name)
	}
	if out == "" {
		r := scriptResult{hex.EncodeToString(digest), s.Variant, s.Minutes, s.Swaps, s.Final, s.Roles, s.Steps, s.After}
		return a.emit("ceremony script", r, func(w io.Writer) { a.printScript(w, s, digest) })
	}
	page, err := scriptHTML(s, digest)
	if err != nil {
		return err
	}
	if err := writeNewPage(out, page); err != nil {
		return err
	}
	return a.emit("ceremony script", map[string]any{"file": out, "sha256": sha256Hex(page)}, func(w io.Writer) {
		fmt.Fprintf(w, "%s: %s, about %s; SHA-256 %s\n", out, count(len(s.Steps), "step"), s.Length(), sha256Hex(page))
	})
}

// writeNewPage writes a page under a name that is not taken.
func writeNewPage(out string, page []byte) error {
	dir, err := os.OpenRoot(filepath.Dir(out))
	if err != nil {
		return err
	}
	defer dir.Close()
	if _, err := dir.Lstat(filepath.Base(out)); err == nil {
		return fmt.Errorf("%s is already there; name another file", out)
	}
	return (folderFiles{dir}).Write(plan.File{Path: filepath.Base(out), Mode: 0o644, Data: page})
}

// printScript writes a script for a terminal.
func (a *app) printScript(w io.Writer, s *script.Script, digest []byte) {
	p := s.Plan
	fmt.Fprintf(w, "%s of the %s estate %q\n\n", s.Variant, p.Estate.Environment, p.Estate.Name)
	rows := []string{"  Ceremony date\t" + instant(p.At), "  May begin\t" + instant(p.Window.NotBefore) + " to " + instant(p.Window.NotAfter)}
	rows = append(rows, roomRows(s)...)
	table(w, rows...)
	fmt.Fprintf(w, "\nRead aloud (SHA-256 of the plan):\n")
	printDigest(w, digest)
	phase := ""
	for _, step := range s.Steps {
		if step.Phase != phase {
			phase = step.Phase
			fmt.Fprintf(w, "\n%s\n", phase)
		}
		mark := " "
		if step.Irreversible {
			mark = "!"
		}
		fmt.Fprintf(w, "%s %3d  %s\n", mark, step.Number, hang(fmt.Sprintf("%s: %s (%s)", step.Role, step.Title, script.Length(step.Minutes)), a.width, 7))
		for _, part := range []struct{ name, text string }{{"reads", step.Reads}, {"screen", step.Shows}, {"types", typed(step)}, {"expect", step.Expect}} {
			if part.text != "" {
				fmt.Fprintf(w, "       %-6s  %s\n", part.name, hang(part.text, a.width, 15))
			}
		}
	}
	final := "Nothing is made in it: there is no point of no return."
	if s.Final > 0 {
		final = fmt.Sprintf("! cannot be undone. Step %d is the point of no return.", s.Final)
	}
	fmt.Fprintf(w, "\n%s\n\nAfterwards\n", final)
	for _, d := range s.After {
		fmt.Fprintf(w, "  %s  %s\n", d.By.Format("2006-01-02"), hang(d.Owner+": "+d.Text, a.width, 14))
	}
}

// typed says what is typed to confirm a step.
func typed(s script.Step) string {
	switch s.Ask {
	case script.AskWords:
		return s.Words
	case script.AskNames:
		return "the names of those who are there"
	case script.AskClock:
		return "the time on the other clock, and who read it"
	case script.AskDigest:
		return "the first word of each of the four lines"
	}
	return ""
}

// roomRows says who and what has to be in the room, and how long it takes.
func roomRows(s *script.Script) []string {
	rows := []string{"  Takes\tabout " + s.Length() + ", " + count(len(s.Steps), "step")}
	var who []string
	for _, role := range s.Roles {
		if role == "witness" && s.Plan.Needs.Witnesses != 1 {
			role = count(s.Plan.Needs.Witnesses, "witness")
		}
		who = append(who, role)
	}
	rows = append(rows, "  Who\t"+strings.Join(who, ", "))
	for i, c := range s.Plan.Needs.Custodians {
		title := ""
		if i == 0 {
			title = "Custodians"
		}
		unit := ""
		if c.Groups {
			unit = " groups"
		}
		rows = append(rows, fmt.Sprintf("  %s\t%d of %d%s for %s", title, c.Threshold, c.Count, unit, c.Secret))
	}
	rows = append(rows, tokenRows(s.Plan)...)
	if n := s.Plan.Needs.Readers; n > 0 && len(s.Plan.Needs.Tokens) > 0 {
		rows = append(rows, fmt.Sprintf("  Readers\t%d; %s", n, count(s.Swaps, "swap")))
	}
	return rows
}

// tokenRows lists the tokens that are fetched from the safe.
func tokenRows(p *plan.Plan) []string {
	var rows []string
	for i, t := range p.Needs.Tokens {
		title := ""
		if i == 0 {
			title = "Tokens"
		}
		name := t.Label
		if t.Serial != "" {
			name = strings.TrimSpace(name + " (serial " + t.Serial + ")")
		}
		rows = append(rows, fmt.Sprintf("  %s\t%s, of %s", title, name, t.Store))
	}
	return rows
}

//go:embed ceremony_script.html
var scriptPage string

// scriptView is what the pages show.
type scriptView struct {
	*script.Script
	Title   string
	Digest  string
	Words   []string
	Rows    [][2]string
	Phases  []phaseView
	QR      string
	QRBox   int
	People  []string
	Blank   []int // exception sheets
	Typed   func(script.Step) string
	Minutes func(int) string
}

type phaseView struct {
	Name  string
	Steps []script.Step
}

func scriptHTML(s *script.Script, digest []byte) ([]byte, error) {
	code, err := qr.Encode(strings.ToUpper(hex.EncodeToString(digest)), qr.M)
	if err != nil {
		return nil, err
	}
	p := s.Plan
	v := scriptView{
		Script: s, Title: fmt.Sprintf("%s of the %s estate “%s”", s.Variant, p.Estate.Environment, p.Estate.Name),
		Digest: hex.EncodeToString(digest), Words: plan.WordLines(digest), QRBox: code.Size + 8,
		QR: modules(code), Blank: []int{1, 2, 3}, Typed: typed, Minutes: script.Length,
	}
	for _, row := range append([]string{"  Ceremony date\t" + instant(p.At), "  May begin\t" + instant(p.Window.NotBefore) + " to " + instant(p.Window.NotAfter)}, roomRows(s)...) {
		name, value, _ := strings.Cut(strings.TrimSpace(row), "\t")
		v.Rows = append(v.Rows, [2]string{name, value})
	}
	for _, step := range s.Steps {
		if n := len(v.Phases); n == 0 || v.Phases[n-1].Name != step.Phase {
			v.Phases = append(v.Phases, phaseView{Name: step.Phase})
		}
		last := len(v.Phases) - 1
		v.Phases[last].Steps = append(v.Phases[last].Steps, step)
	}
	for _, role := range s.Roles {
		n := 1
		if role == "witness" {
			n = max(1, p.Needs.Witnesses)
		}
		for range n {
			v.People = append(v.People, role)
		}
	}
	t, err := template.New("script").Parse(scriptPage)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.Execute(&b, v)
	return b.Bytes(), err
}
