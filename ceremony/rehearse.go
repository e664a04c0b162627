package ceremony

import (
	"encoding/hex"

	"pki.internal/ceremony/script"
	"pki.internal/plan"
	"pki.internal/spec"
)

// Rehearse holds a plan against the estate and the ledger as Review does, and
// gives its rehearsal: the same actions in the same steps, marked, for a state
// in which other keys stand in for those that the ledger knows. Every error is
// a Refusal. What comes out can only be carried out on a ledger of its own.
func Rehearse(r Request, standIns map[string][]byte) (*Admitted, plan.State, error) {
	if err := Review(r); err != nil {
		return nil, plan.State{}, err
	}
	in, err := r.Plan.Remake()
	if err != nil {
		return nil, plan.State{}, refuse("make the plan again with pki plan --out FILE", "%s", err)
	}
	estate := *r.Estate
	estate.Environment = spec.Rehearsal
	state := r.History.State().Rehearsing(standIns)
	marked, diags := plan.Make(&estate, state, in)
	if diags.HasErrors() {
		return nil, plan.State{}, refuse("mend what it says", "the plan cannot be rehearsed: %s", diags)
	}
	a := &Admitted{plan: marked, estate: &estate, rehearsal: true, officers: state.Approvers(marked)}
	if a.sum, err = r.Plan.Digest(); err != nil { // what is read aloud is the plan's own
		return nil, plan.State{}, err
	}
	digest, err := marked.Digest()
	if err != nil {
		return nil, plan.State{}, err
	}
	a.digest = hex.EncodeToString(digest[:])
	if a.script, err = script.Of(marked); err != nil {
		return nil, plan.State{}, refuse("change the estate and make a new plan", "the script of this plan cannot be carried out: %s", err)
	}
	return a, state, nil
}
