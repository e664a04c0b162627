package ceremony

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"pki.internal/ceremony/script"
	"pki.internal/hsm"
	"pki.internal/plan"
	"pki.internal/spec"
)

// Abort ends an interrupted ceremony for good. What it made stays made and in
// the ledger, and the next plan begins there. A key that was intended is looked
// for first and entered when it is there; unaccounted says that its token cannot
// be reached any more. It gives the entry that ended the ceremony.
func (r *Room) Abort(ctx context.Context, a *Admitted, why *plan.ExceptionNoted, unaccounted bool) (*plan.Aborted, error) {
	c := &ceremony{Room: r, admitted: a, plan: a.plan, opened: map[spec.Address]hsm.Store{}, secrets: map[spec.Address][]byte{}, keys: map[keyOf]hsm.Key{}, used: map[spec.Address]*plan.SharesUsed{}}
	defer c.leave()
	state := c.Book.State()
	if state.Open == nil || state.Open.Digest != a.digest {
		return nil, errMoved
	}
	if err := c.judge(); err != nil {
		return nil, err
	}
	if _, _, err := c.Book.Mend(); err != nil {
		return nil, fmt.Errorf("cutting off the torn entry: %w", err)
	}
	c.begun, c.interrupted = true, true
	why.Number, why.At, why.Decision = state.Open.Exceptions+1, c.now(), plan.Abort
	if err := c.append(plan.Event{Kind: plan.ExceptionHappened, Exception: why}); err != nil {
		return nil, err
	}
	if unaccounted {
		err := c.abortAs(plan.KeyUnaccounted)
		return c.ended, err
	}
	err := c.abort(ctx)
	return c.ended, err
}

// abort accounts for what may have happened without an entry, and ends the
// ceremony.
func (c *ceremony) abort(ctx context.Context) error {
	open := c.Book.State().Open
	next, more := open.Next()
	if more && open.Sealed != nil { // signed ahead already; only its second entry is missing
		if err := c.perform(ctx, next); err != nil {
			return err
		}
	}
	if open.Intent == nil {
		return c.abortAs("")
	}
	if k := c.storeOf(open.Intent.Key.Store); k != nil && k.Password != nil {
		if err := c.unlockSecret(ctx, k.Password.Address); err != nil {
			return err
		}
	}
	store, err := c.store(ctx, open.Intent.Key.Store)
	if err != nil {
		return err
	}
	wanted, err := keySpec(open.Intent.Key)
	if err != nil {
		return err
	}
	switch _, err := store.Find(ctx, wanted, nil); {
	case errors.Is(err, hsm.ErrNotFound):
		return c.abortAs(plan.KeyNotMade)
	case err != nil:
		return err
	}
	if err := c.perform(ctx, next); err != nil {
		return err
	}
	return c.abortAs("")
}

// abortAs writes the entry that ends the ceremony, and every file that the
// ledger gives by now.
func (c *ceremony) abortAs(found string) error {
	open := c.Book.State().Open
	event := &plan.Aborted{PlanDigest: open.Digest, Actions: open.Done, Intended: open.Intent}
	if open.Intent != nil {
		event.Found = found
	}
	if next, more := open.Next(); more && c.admitted.resume { // an earlier run may have come further than its entries
		_, event.MaybeSigned = next.Issuer()
	}
	if err := c.append(plan.Event{Kind: plan.CeremonyAborted, Aborted: event}); err != nil {
		return err
	}
	c.ended = event
	return c.writeFiles()
}

// AdmitAbort decides whether the ceremony of a plan may be aborted: it must be
// the open one. The plan itself may be stale, withdrawn or out of its window by
// now, and the estate changed: that is why people abort. Every error is a
// Refusal.
func AdmitAbort(r Request) (*Admitted, error) {
	digest, err := r.Plan.Digest()
	if err != nil {
		return nil, refuse("use the plan that the ceremony began with", "the plan is not well formed: %s", err)
	}
	a := &Admitted{plan: r.Plan, digest: hex.EncodeToString(digest[:]), sum: digest, estate: r.Estate, resume: true}
	open := r.History.State().Open
	switch {
	case open == nil:
		return nil, refuse("there is nothing to abort", "no ceremony is open in the ledger")
	case open.Digest != a.digest:
		return nil, refuse("abort it with its own plan", "the open ceremony is that of another plan, whose digest begins with %.16s", open.Digest)
	case r.Now.UTC().Before(r.History.State().LastTime):
		return nil, inTime(r, r.History.State())
	}
	if a.script, err = script.Of(r.Plan); err != nil {
		return nil, refuse("use the version of the program that made the plan", "the script of this plan cannot be read: %s", err)
	}
	a.officers = r.History.State().Approvers(r.Plan)
	return a, nil
}

// StepOf gives the number of the step that an open ceremony has come to.
func (a *Admitted) StepOf(open *plan.OpenCeremony) int {
	for _, s := range a.script.Steps {
		if s.Does == script.Act && s.Actions[len(s.Actions)-1] > open.Done {
			return s.Number
		}
	}
	return len(a.script.Steps)
}
