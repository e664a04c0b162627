package ceremony

import (
	"context"
	"errors"
	"fmt"

	"pki.internal/plan"
	"pki.internal/spec"
)

// becomesReady reports whether an action from a place of the plan on makes the
// token of a key store ready, so that it cannot be opened before.
func (c *ceremony) becomesReady(from int, store spec.Address) bool {
	for _, action := range c.plan.Actions[from:] {
		if action.Kind == plan.InitializeToken && action.Address == store {
			return true
		}
	}
	return false
}

// done counts the actions that have happened.
func (c *ceremony) done() int {
	if open := c.Book.State().Open; open != nil {
		return open.Done
	}
	return 0
}

// tokensWait looks for the tokens that the plan makes ready, and holds the PINs
// that they will get against what they take, before anything is written: a
// plan cannot be changed any more once shares were handed out for it.
func (c *ceremony) tokensWait(ctx context.Context) error {
	driver, can := c.Stores.(TokenStores)
	for _, action := range c.plan.Actions[c.done():] {
		k := c.storeOf(action.Address)
		if action.Kind != plan.InitializeToken || k == nil || !can {
			continue
		}
		planned := action.InitializeToken
		officer, err := c.pinLength(planned.OfficerPIN, planned.OfficerPINForm)
		if err != nil {
			return err
		}
		pin, err := c.pinLength(planned.PIN, planned.PINForm)
		if err != nil {
			return err
		}
		if err := driver.CanInitialize(ctx, k, officer, pin, c.admitted.resume); err != nil {
			return fmt.Errorf("%s: %w", k.Address, err)
		}
	}
	return nil
}

// pinLength gives the length that a PIN has, or will have.
func (c *ceremony) pinLength(secret spec.Address, form string) (int, error) {
	f, err := spec.ParsePINForm(form)
	if f.Length > 0 || err != nil {
		return f.Length, err
	}
	return len(c.secrets[secret]), nil
}

// initializeToken gives an empty token its label and its PINs.
func (c *ceremony) initializeToken(ctx context.Context, a plan.Action) (Result, error) {
	planned := a.InitializeToken
	k := c.storeOf(a.Address)
	driver, can := c.Stores.(TokenStores)
	if k == nil || !can {
		return Result{}, errors.New("no token can be made ready here")
	}
	officer, pin, err := c.newPINs(a.Address, planned)
	if err != nil {
		return Result{}, err
	}
	defer clear(officer)
	defer clear(pin)
	made, err := driver.Initialize(ctx, k, officer, pin, c.admitted.resume)
	if err != nil {
		return Result{}, err
	}
	evidence, err := c.evidence(a, made.Serial, made.Evidence)
	if err != nil {
		return Result{}, err
	}
	event := &plan.TokenReady{Action: a.Number, Address: a.Address, Token: *planned, Adopted: made.Adopted, Evidence: evidence}
	return Result{Adopted: made.Adopted}, c.append(plan.Event{Kind: plan.TokenInitialized, TokenReady: event})
}
