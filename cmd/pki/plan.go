package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pki.internal/ceremony"
	"pki.internal/ceremony/script"
	"pki.internal/plan"
	"pki.internal/spec"
)

type planOptions struct {
	out, at, window, format string
	detailed                bool
	previews                string
	drill                   []string
	vars                    variables
}

func planCommand(a *app) *cobra.Command {
	var o planOptions
	c := &cobra.Command{
		Use:   "plan",
		Short: "Work out what has to be done, down to the bytes",
		Long: `Compare what the estate wants with what the ledger has, and plan the ceremony
that closes the gap. Everything is validated, built and linted; no key is
touched. With --out the plan is saved for review and for pki apply.

With --restore-drill it is the plan of a drill, and of nothing else: the secrets
are put together, the tokens and files opened, and every key signs a challenge
where it lies, backups too. Name an authority, a key store, or "all".`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return a.plan(o) },
	}
	c.Flags().StringVar(&o.out, "out", "", "save the plan in this file, which must not exist")
	c.Flags().StringVar(&o.at, "at", "", "ceremony date, RFC 3339 such as 2026-12-01T09:00:00Z (default: now)")
	c.Flags().StringVar(&o.window, "window", "7d", "how long after the ceremony date the plan may run")
	c.Flags().StringVar(&o.format, "format", "text", "text, json or markdown")
	completeFlag(c, "format", "text", "json", "markdown")
	c.Flags().StringVar(&o.previews, "previews", "", "write preview certificates and CRLs into this new folder, for publication")
	c.Flags().StringArrayVar(&o.drill, "restore-drill", nil, "plan a drill of an authority's key, of the keys in a key store, or of all; may be repeated")
	c.Flags().BoolVar(&o.detailed, "detailed-exitcode", false, "exit 2 when there is something to do")
	o.vars.flags(c)
	return c
}

// saved is what pki plan says as JSON.
type saved struct {
	Digest  string     `json:"digest"`
	Words   []string   `json:"words"`
	Out     string     `json:"out,omitempty"`
	Changes int        `json:"changes"`
	Plan    *plan.Plan `json:"plan"`
	Render  []drift    `json:"render"` // rendered files that change without a ceremony
	Room    roomSaved  `json:"room"`
}

// roomSaved is what a ceremony takes, beside the needs in the plan.
type roomSaved struct {
	Kind    string `json:"kind"`
	Steps   int    `json:"steps"`
	Minutes int    `json:"minutes"`
	Swaps   int    `json:"swaps"` // of tokens, where readers are few
}

func (a *app) plan(o planOptions) error {
	if !slices.Contains([]string{"text", "json", "markdown"}, o.format) {
		return &usageError{fmt.Errorf("--format %s: use text, json or markdown", o.format)}
	}
	a.json = a.json || o.format == "json"
	if o.out != "" {
		if err := freeForPlan(o.out); err != nil {
			return err
		}
	}
	identified := begin(tool)
	in, err := a.planInputs(o)
	if err != nil {
		return err
	}
	root, err := a.folder()
	if err != nil {
		return err
	}
	defer root.Close()
	estate, err := a.load(root, in.Variables)
	if err != nil {
		return err
	}
	book, err := a.book(root)
	if err != nil {
		return err
	}
	if in.Tool, err = identified(); err != nil {
		return err
	}
	p, text, diags := plan.MakeEncoded(estate, book.State(), in)
	if diags.HasErrors() {
		return diags
	}
	a.warn(diags)
	room, err := script.Of(p)
	if err != nil {
		return spec.Diagnostics{{Severity: spec.Error, Summary: "Ceremony that cannot be held", Detail: "In the script of this plan, " + err.Error() + "."}}
	}
	drifts, err := renderChanges(root, estate, book.State())
	if err != nil {
		return err
	}
	if o.previews != "" {
		n, err := writePreviews(o.previews, p)
		if err != nil {
			return err
		}
		fmt.Fprintf(a.stderr, "%s written below %s.\n", count(n, "preview"), o.previews)
	}
	if err := a.saveAndShow(o, p, text, drifts, roomSaved{room.Variant, len(room.Steps), room.Minutes, room.Swaps}); err != nil {
		return err
	}
	if o.detailed && len(p.Actions)+len(drifts) > 0 {
		return &changesError{}
	}
	return nil
}

// saveAndShow writes the plan out for people while it is written to its file,
// and shows it when it is there.
func (a *app) saveAndShow(o planOptions, p *plan.Plan, text []byte, drifts []drift, room roomSaved) error {
	sum := sha256.Sum256(text)
	digest := sum[:]
	result := saved{Digest: hex.EncodeToString(digest), Words: plan.Words(digest), Changes: len(p.Actions), Plan: p, Render: drifts, Room: room}
	if len(p.Actions) > 0 {
		result.Out = o.out
	}
	written := begin(func() (string, error) {
		if result.Out == "" {
			return "", nil
		}
		return result.Out, savePlan(result.Out, text)
	})
	shown, err := a.compose("plan", result, func(w io.Writer) {
		if o.format == "markdown" {
			a.planMarkdown(w, p, digest, drifts)
			return
		}
		a.printPlan(w, p, digest)
		a.printRenderOnly(w, drifts)
		switch {
		case len(p.Actions) == 0:
		case o.out == "":
			fmt.Fprintf(w, "\nThe plan was not saved. A ceremony runs from a saved plan: pki plan --out FILE.\n")
		default:
			fmt.Fprintf(w, "\nSaved in %s. Next: have it reviewed (pki show %s), then %s apply %s.\n", o.out, o.out, a.self(), o.out)
		}
	})
	if _, failed := written(); failed != nil {
		return failed
	}
	if err != nil {
		return err
	}
	_, err = a.stdout.Write(shown)
	return err
}

// planInputs reads the clock and draws the seed, unless the command line says
// otherwise. The tool is left out.
func (a *app) planInputs(o planOptions) (plan.Inputs, error) {
	in := plan.Inputs{At: a.now(), RestoreDrill: o.drill}
	if o.at != "" {
		at, err := time.Parse(time.RFC3339, o.at)
		if err != nil {
			return in, &usageError{fmt.Errorf("--at %s: write it as 2026-12-01T09:00:00Z", o.at)}
		}
		if year := at.UTC().Year(); year < 1970 || year > 9999 {
			return in, &usageError{fmt.Errorf("--at %s: a ceremony takes place between 1970 and 9999", o.at)}
		}
		in.At = at
	}
	window, err := spec.ParseDuration(o.window)
	if err != nil {
		return in, &usageError{fmt.Errorf("--window: %w", err)}
	}
	in.Window = window
	if in.Variables, err = parseVars(o.vars); err != nil {
		return in, err
	}
	_, err = testOnlySeed(in.Seed[:])
	return in, err
}

// testOnlySeed draws the seed of a plan. Tests of the command set it, to make
// one plan twice.
var testOnlySeed = rand.Read

// freeForPlan refuses a name at which there is something.
func freeForPlan(name string) error {
	if _, err := os.Lstat(name); err == nil {
		return &ceremony.Refusal{
			Fact: name + " is already there, and a plan is never overwritten, because someone may have approved it",
			Next: "choose another name, or remove it",
		}
	}
	return nil
}

// savePlan writes a plan under a new name. An older plan is never overwritten,
// because someone may have approved it.
func savePlan(name string, text []byte) error {
	if err := freeForPlan(name); err != nil {
		return err
	}
	dir, err := os.OpenRoot(filepath.Dir(name))
	if err != nil {
		return fmt.Errorf("the plan's folder cannot be opened: %w", err)
	}
	defer dir.Close()
	return folderFiles{dir}.Write(plan.File{Path: filepath.Base(name), Mode: 0o644, Data: text})
}

// readPlan reads a plan file and the digest of its bytes.
func readPlan(name string) (*plan.Plan, []byte, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, nil, err
	}
	p, err := plan.Decode(text)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	digest := sha256.Sum256(text)
	return p, digest[:], nil
}

func sha256Hex(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// looksLikePlan tells a plan from other JSON.
func looksLikePlan(text []byte) bool {
	var head struct {
		Format string `json:"format"`
	}
	return json.Unmarshal(text, &head) == nil && strings.HasPrefix(head.Format, "pki-plan/")
}
