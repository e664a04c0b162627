package ceremony

import "pki.internal/plan"

// move enters a new address into the ledger. No key is touched.
func (c *ceremony) move(a plan.Action) (Result, error) {
	return Result{}, c.append(plan.Event{
		Kind: plan.AddressMoved, Audience: plan.Public, Moved: &plan.Moved{Action: a.Number, Address: a.Address, From: a.Move.From},
	})
}

// forget enters into the ledger that an authority is no longer described.
func (c *ceremony) forget(a plan.Action) (Result, error) {
	return Result{}, c.append(plan.Event{
		Kind: plan.AuthorityForgotten, Audience: plan.Public, Forgotten: &plan.Forgotten{Action: a.Number, Address: a.Address},
	})
}
