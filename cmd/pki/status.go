package main

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pki.internal/lint/crlwalk"
	"pki.internal/plan"
	"pki.internal/spec"
)

type statusOptions struct {
	within, format, out, propose, window string
	vars                                 variables
}

func statusCommand(a *app) *cobra.Command {
	var o statusOptions
	c := &cobra.Command{
		Use:   "status [FILE…]",
		Short: "The calendar: what ends when, and what has to be done before",
		Long: `The calendar of everything that ends: certificates, CRLs, CRLs that wait for
their release, waivers; with the next action, and the slack until it is too late.
It reads the estate and the ledger, and needs no key. Certificates and CRLs in
FILEs join it: leaves, or what a URL gives (curl it first).

With --within it exits 2 when something ends, or should have begun, within that
time. --propose writes the plan of the next ceremony when one is due within that
time: for a job that opens the pull request.`,
		Args: cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, files []string) error { return a.status(o, files) },
	}
	f := c.Flags()
	f.StringVar(&o.within, "within", "", "exit 2 when an action is due within this time, such as 30d")
	f.StringVar(&o.format, "format", "text", "text, json, prometheus or ical")
	f.StringVar(&o.out, "out", "", "write to this file in one step instead of standard output")
	f.StringVar(&o.propose, "propose", "", "write the unsigned plan of the ceremony that is due, in a new file")
	f.StringVar(&o.window, "window", "7d", "how long after its date the proposed plan may run")
	o.vars.flags(c)
	return c
}

// appointment is a line of the calendar as programs read it.
type appointment struct {
	plan.Appointment
	SlackSeconds int64 `json:"slack_seconds"` // until it is too late; negative when it is
	Due          bool  `json:"due"`           // within the time that was asked for
}

// calendarReport is the whole answer.
type calendarReport struct {
	At           time.Time     `json:"at"`
	Estate       string        `json:"estate"`
	Within       string        `json:"within,omitempty"`
	Due          int           `json:"due"`
	Appointments []appointment `json:"appointments"`
	Proposed     *proposal     `json:"proposed,omitempty"`
}

func (a *app) status(o statusOptions, names []string) error {
	if !slices.Contains([]string{"text", "json", "prometheus", "ical"}, o.format) {
		return &usageError{fmt.Errorf("--format %s: use text, json, prometheus or ical", o.format)}
	}
	a.json = a.json || o.format == "json"
	now := a.now().UTC().Truncate(time.Second)
	horizon := now
	if o.within != "" {
		d, err := spec.ParseDuration(o.within)
		if err != nil {
			return &usageError{fmt.Errorf("--within: %w", err)}
		}
		horizon = d.From(now)
	}
	if o.propose != "" && o.within == "" {
		return &usageError{errors.New("--propose needs --within: how far ahead a ceremony is proposed, such as 30d")}
	}
	root, estate, state, err := a.statusInputs(o.vars)
	if err != nil {
		return err
	}
	defer root.Close()
	r := &calendarReport{At: now, Estate: state.Estate, Within: o.within}
	all := plan.Calendar(estate, state, inPlace(root, state), now)
	if err := addFiles(&all, names); err != nil {
		return err
	}
	for _, p := range all {
		due := o.within != "" && dueBy(p, horizon, now)
		if due {
			r.Due++
		}
		r.Appointments = append(r.Appointments, appointment{p, int64(p.Until.Sub(now) / time.Second), due})
	}
	if o.propose != "" {
		if r.Proposed, err = a.propose(o, estate, state, r.Appointments); err != nil {
			return err
		}
	}
	if err := a.writeCalendar(o, r); err != nil {
		return err
	}
	if r.Due > 0 {
		return &changesError{}
	}
	return nil
}

// dueBy reports whether somebody has something to do until a day. A release
// runs on a timer and is due only when it has not.
func dueBy(p plan.Appointment, horizon, now time.Time) bool {
	if p.Kind == plan.ForRelease {
		return !p.From.After(now)
	}
	return !p.From.After(horizon)
}

// statusInputs reads what there is: an auditor's copy may be the ledger alone.
func (a *app) statusInputs(given variables) (*os.Root, *spec.Estate, plan.State, error) {
	root, err := a.folder()
	if err != nil {
		return nil, nil, plan.State{}, err
	}
	estate, state, err := a.statusFrom(root, given)
	if err != nil {
		root.Close()
		return nil, nil, plan.State{}, err
	}
	return root, estate, state, nil
}

func (a *app) statusFrom(root *os.Root, given variables) (*spec.Estate, plan.State, error) {
	names, err := fs.Glob(root.FS(), "*.pki.hcl")
	if err != nil {
		return nil, plan.State{}, err
	}
	book, err := a.book(root)
	if err != nil {
		return nil, plan.State{}, err
	}
	state := book.State()
	if len(names) == 0 {
		if state.Estate == "" {
			return nil, state, errors.New("there is neither an estate nor a ledger here; name the folder with -C DIR")
		}
		return nil, state, nil
	}
	vars, err := parseVars(given)
	if err != nil {
		return nil, state, err
	}
	if vars == nil {
		vars = state.Variables // as the newest plan had them
	}
	estate, err := a.load(root, vars)
	return estate, state, err
}

// inPlace reads the CRLs under their authorities' names.
func inPlace(root *os.Root, s plan.State) map[spec.Address][]byte {
	found := map[spec.Address][]byte{}
	for _, a := range s.Authorities() {
		if der, err := root.ReadFile(a.CRLFile()); err == nil {
			found[a.Address] = der
		}
	}
	return found
}

// addFiles puts certificates and CRLs of anyone into the calendar.
func addFiles(all *[]plan.Appointment, names []string) error {
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		found := appointmentsOf(name, text)
		if len(found) == 0 {
			return fmt.Errorf("%s holds neither a certificate nor a CRL; give DER or PEM", name)
		}
		*all = append(*all, found...)
	}
	slices.SortStableFunc(*all, func(a, b plan.Appointment) int {
		return cmp.Or(a.Until.Compare(b.Until), strings.Compare(a.Object, b.Object))
	})
	return nil
}

func appointmentsOf(name string, text []byte) []plan.Appointment {
	var found []plan.Appointment
	add := func(der []byte) {
		if c, err := x509.ParseCertificate(der); err == nil {
			from := c.NotAfter.Add(-c.NotAfter.Sub(c.NotBefore) / 3)
			found = append(found, plan.Appointment{Kind: plan.ForCertificate, Object: name, What: "certificate of " + nameOf(c.RawSubject), From: from.UTC(), Until: c.NotAfter.UTC(), Action: "renew it"})
			return
		}
		list, err := crlwalk.Walk(bytes.NewReader(der), nil)
		if err != nil || list.NextUpdate.IsZero() {
			return
		}
		half := list.ThisUpdate.Add(list.NextUpdate.Sub(list.ThisUpdate) / 2)
		found = append(found, plan.Appointment{Kind: plan.ForCRL, Object: name, What: "CRL number " + orNoNumber(list.Number()), From: half.UTC(), Until: list.NextUpdate.UTC(), Action: "see that its signer runs (pki crl sign on a timer, step-ca)"})
	}
	add(text)
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		add(block.Bytes)
	}
	return found
}

// writeCalendar writes the report in the form that was asked for.
func (a *app) writeCalendar(o statusOptions, r *calendarReport) error {
	var text bytes.Buffer
	to := a.stdout
	if o.out != "" {
		a.stdout = &text
		defer func() { a.stdout = to }()
	}
	err := a.emit("status", r, func(w io.Writer) {
		switch o.format {
		case "prometheus":
			printPrometheus(w, r)
		case "ical":
			printICal(w, r)
		default:
			a.printCalendar(w, r)
		}
	})
	if err != nil || o.out == "" {
		return err
	}
	dir, err := os.OpenRoot(filepath.Dir(o.out))
	if err != nil {
		return fmt.Errorf("the folder of %s cannot be opened: %w", o.out, err)
	}
	defer dir.Close()
	return folderFiles{dir}.Write(plan.File{Path: filepath.Base(o.out), Mode: 0o644, Data: text.Bytes()})
}

func (a *app) printCalendar(w io.Writer, r *calendarReport) {
	if len(r.Appointments) == 0 {
		fmt.Fprintf(w, "Nothing ends: the ledger is empty.\n")
		return
	}
	rows := []string{"  Too late\tSlack\tObject\t\tNext"}
	for _, p := range r.Appointments {
		mark := "  "
		if p.Due {
			mark = "! "
		}
		next := p.Action
		if p.From.After(r.At) {
			next = "from " + p.From.Format(time.DateOnly) + ": " + next
		} else {
			next = "now: " + next
		}
		rows = append(rows, fmt.Sprintf("%s%s\t%s\t%s\t%s\t%s", mark, p.Until.Format(time.DateOnly), slack(p.SlackSeconds), p.Object, p.What, next))
	}
	table(w, rows...)
	if r.Within != "" {
		fmt.Fprintf(w, "\n%s due within %s.\n", count(r.Due, "action"), r.Within)
	}
	printProposal(w, r.Proposed)
}

// slack gives a length of time in days, or in hours when it is short.
func slack(seconds int64) string {
	d := time.Duration(seconds) * time.Second
	switch {
	case d < 0:
		return "too late by " + strings.TrimPrefix(slack(-seconds), "-")
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d d", int(d.Hours()/24))
}
