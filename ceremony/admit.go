// Package ceremony answers one question: how is a plan carried out, in a
// room, with people, so that nothing that goes wrong makes a second key or
// loses the first?
//
// Admit decides whether a plan may run at all; Run carries it out. Each action
// follows one order: build the bytes, hold them against the plan, lint them,
// sign, verify in software, append to the ledger, and only then write the file
// under its name. Everything that touches the world comes in through Room.
package ceremony

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"pki.internal/ceremony/script"
	"pki.internal/plan"
	"pki.internal/spec"
)

// Refusal is a ceremony that must not happen, or must not go on. Nothing has
// been made when it is returned by Admit.
type Refusal struct {
	Fact string // what is so
	Next string // what to do about it
}

// Error gives fact and next step.
func (r *Refusal) Error() string { return r.Fact + "; " + r.Next }

func refuse(next, fact string, args ...any) error {
	return &Refusal{Fact: fmt.Sprintf(fact, args...), Next: next}
}

// History is the ledger as a ceremony needs it: its newest state, and the
// state that it had when a plan was made.
type History interface {
	State() plan.State
	StateAt(entries int) plan.State
}

// Request is what Admit judges.
type Request struct {
	Plan    *plan.Plan
	Digest  []byte       // of the file that the plan was read from
	Estate  *spec.Estate // as it stands in the folder now
	History History
	Now     time.Time
	Tool    plan.Tool // that would run the ceremony
	Resume  bool

	Approvals []plan.Approval // found beside the plan
	Built     time.Time       // when the program was made, zero when nobody knows
}

// Admitted is a plan that may run. Only Admit makes one.
type Admitted struct {
	plan   *plan.Plan
	digest string
	estate *spec.Estate
	resume bool
	done   bool // the ledger already holds the whole ceremony

	approvals []plan.Approval // that count

	script   *script.Script
	sum      [32]byte             // the plan's digest
	officers *plan.OfficersAction // who may be there, nil for nobody by name
	built    time.Time

	rehearsal bool // of a plan that is not carried out
}

// Finished reports that the ceremony of this plan has been held and closed,
// so that only its files can be missing.
func (a *Admitted) Finished() bool { return a.done }

// Script gives the steps of the ceremony.
func (a *Admitted) Script() *script.Script { return a.script }

// Plan gives the admitted plan.
func (a *Admitted) Plan() *plan.Plan { return a.plan }

// Admit holds a plan against the estate, the ledger, the clock and the tool.
// The plan is made again from what lies here and must come out the same to the
// last byte, so a plan that was edited, or made from another estate or another
// ledger, cannot run. Every error is a Refusal.
func Admit(r Request) (*Admitted, error) {
	digest, err := r.Plan.Digest()
	if err != nil {
		return nil, refuse("make the plan again with pki plan --out FILE", "the plan is not well formed: %s", err)
	}
	if !bytes.Equal(digest[:], r.Digest) {
		return nil, refuse("get the file again from where it was approved", "the file's digest is not that of the plan in it")
	}
	a := &Admitted{plan: r.Plan, digest: hex.EncodeToString(digest[:]), sum: digest, estate: r.Estate, resume: r.Resume, built: r.Built}
	state := r.History.State()
	if err := a.place(state, r); err != nil {
		return nil, err
	}
	if a.done {
		return a, nil
	}
	if err := notRevoked(r, a.digest); err != nil {
		return nil, err
	}
	if err := sameTool(r); err != nil {
		return nil, err
	}
	if err := inTime(r, state); err != nil {
		return nil, err
	}
	if err := remake(r); err != nil {
		return nil, err
	}
	if a.script, err = script.Of(r.Plan); err != nil {
		return nil, refuse("change the estate and make a new plan", "the script of this plan cannot be carried out: %s", err)
	}
	if len(a.script.Steps) == 0 {
		return nil, refuse("there is nothing to do", "the plan has no action")
	}
	a.officers = state.Approvers(r.Plan)
	return a, a.quorum(state, r)
}

// place says where in the ledger the plan stands: next, in the middle, or
// already finished.
func (a *Admitted) place(s plan.State, r Request) error {
	head := s.Head
	if head == (plan.Head{}) {
		head = plan.EmptyHead()
	}
	switch {
	case s.Open != nil && s.Open.Digest == a.digest && !r.Resume:
		return refuse("run pki apply PLAN --resume",
			"this ceremony has begun and was interrupted after %d of %d actions", s.Open.Done, len(s.Open.Plan.Actions))
	case s.Open != nil && s.Open.Digest == a.digest:
		return nil
	case s.Aborted(a.digest):
		return refuse("make a new plan with pki plan --out FILE", "the ceremony of this plan was aborted, and a plan is carried out once")
	case s.Open != nil:
		return refuse("finish that one first with its own plan and --resume",
			"the ledger holds another ceremony that was interrupted; its plan's digest begins with %.16s", s.Open.Digest)
	case r.Plan.Ledger == head:
		return nil
	case r.Plan.Ledger.Entries < head.Entries && s.LastPlan == a.digest:
		if !r.Resume {
			return refuse("there is nothing left to do; pki plan shows what the estate still wants", "the ceremony of this plan has been held already")
		}
		a.done = true
		return nil
	case r.Plan.Ledger.Entries < head.Entries:
		return refuse("make a new plan with pki plan --out FILE",
			"the plan is stale: the ledger has grown from %d to %d lines since it was made", r.Plan.Ledger.Entries, head.Entries)
	}
	return refuse("bring the newest ledger.jsonl here, or make a new plan",
		"the plan was made from another ledger, which has %d lines and the head %.16s…", r.Plan.Ledger.Entries, r.Plan.Ledger.Hash)
}

// until says how long something still takes, in the unit that people use.
func until(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%d days", d/(24*time.Hour))
	case d >= 2*time.Hour:
		return fmt.Sprintf("%d hours", d/time.Hour)
	}
	return d.Round(time.Second).String()
}

func sameTool(r Request) error {
	if r.Plan.Tool == r.Tool || r.Plan.Estate.Environment == spec.Lab {
		return nil
	}
	return refuse("run the ceremony with the program that made the plan, or make the plan again with this one",
		"the plan was made by pki %s (%.16s…), and this is pki %s (%.16s…)", r.Plan.Tool.Version, r.Plan.Tool.SHA256, r.Tool.Version, r.Tool.SHA256)
}

// inTime holds the clock against the ledger and the plan's window. The window
// says when a ceremony may begin: one that was interrupted may go on later,
// because no other plan could finish it.
func inTime(r Request, s plan.State) error {
	const form = "2006-01-02 15:04:05 MST (Mon)"
	now, w := r.Now.UTC(), r.Plan.Window
	switch {
	case now.Before(s.LastTime):
		return refuse("set the clock right", "the clock says %s, which is before the newest entry of the ledger (%s)", now.Format(form), s.LastTime.Format(form))
	case now.Before(r.Built):
		return refuse("set the clock right", "the clock says %s, which is before this program was made (%s)", now.Format(form), r.Built.UTC().Format(form))
	case now.Before(w.NotBefore):
		return refuse("set the clock right, or wait", "the clock says %s, and the plan may run from %s on, in %s",
			now.Format(form), w.NotBefore.Format(form), until(w.NotBefore.Sub(now)))
	case s.Open == nil && !w.Contains(now):
		return refuse("set the clock right, or make a new plan", "the clock says %s, and the plan could run until %s", now.Format(form), w.NotAfter.Format(form))
	}
	return nil
}

// remake makes the plan again from the estate and the ledger it names.
func remake(r Request) error {
	if err := sameInputs(r.Plan.Estate.Inputs, r.Estate.Inputs); err != nil {
		return err
	}
	in, err := r.Plan.Remake()
	if err != nil {
		return refuse("make the plan again with pki plan --out FILE", "%s", err)
	}
	again, want, diags := plan.MakeEncoded(r.Estate, r.History.StateAt(r.Plan.Ledger.Entries), in)
	if diags.HasErrors() {
		return refuse("make a new plan and read what it says", "the plan cannot be made again from this estate: %s", diags)
	}
	have, err := r.Plan.Encode()
	if err != nil || !bytes.Equal(have, want) {
		return refuse("have the plan made and reviewed again; this one was changed after it was made, or by another version",
			"the plan is not what this estate and this ledger give%s", whereDiffers(r.Plan, again))
	}
	return nil
}

func sameInputs(have, want []spec.Input) error {
	if slices.Equal(have, want) {
		return nil
	}
	var changed []string
	for _, in := range slices.Concat(have, want) {
		if !(slices.Contains(have, in) && slices.Contains(want, in)) && !slices.Contains(changed, in.Path) {
			changed = append(changed, in.Path)
		}
	}
	return refuse("make a new plan with pki plan --out FILE, or restore the files",
		"the estate was changed after the plan was made: %s", strings.Join(changed, ", "))
}

// whereDiffers names the first action in which two plans differ.
func whereDiffers(have, want *plan.Plan) string {
	for i := range min(len(have.Actions), len(want.Actions)) {
		a, errA := plan.Canonical(have.Actions[i])
		b, errB := plan.Canonical(want.Actions[i])
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			return fmt.Sprintf(" (action %d, %s %s, differs)", i+1, want.Actions[i].Kind, want.Actions[i].Address)
		}
	}
	if len(have.Actions) != len(want.Actions) {
		return fmt.Sprintf(" (it has %d actions instead of %d)", len(have.Actions), len(want.Actions))
	}
	return " (its head differs)"
}

// errMoved means that the ledger changed between Admit and Run.
var errMoved = errors.New("the ledger was changed while the plan was being read; run the command again")
