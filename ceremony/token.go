package ceremony

import (
	"context"
	"errors"
	"fmt"
	"slices"

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

// plug brings a key store's token into a reader. Where there are fewer readers
// than tokens, the one that was not used for longest makes room: it is logged
// out of before anybody pulls it. told means that a step of the script has
// asked for it already.
func (c *ceremony) plug(ctx context.Context, address spec.Address, told bool) error {
	k := c.storeOf(address)
	if k == nil || k.Token == nil {
		return nil
	}
	if slices.Contains(c.plugged, address) {
		c.use(address)
		return nil
	}
	if n := c.plan.Needs.Readers; n > 0 && len(c.plugged) >= n {
		out := c.plugged[0]
		c.plugged = c.plugged[1:]
		if err := c.unplug(out); err != nil {
			return err
		}
		if !told {
			prompt := fmt.Sprintf("Take out the token of %s, put in that of %s, and press Enter", out, address)
			if _, err := c.Desk.Ask(ctx, Question{Prompt: prompt, Auto: "done"}); err != nil {
				return err
			}
		}
	}
	c.plugged = append(c.plugged, address)
	return nil
}

// use notes that a token was used last.
func (c *ceremony) use(address spec.Address) {
	if i := slices.Index(c.plugged, address); i >= 0 {
		c.plugged = append(slices.Delete(c.plugged, i, i+1), address)
	}
}

// unplug logs out of a token, and forgets the keys on it.
func (c *ceremony) unplug(address spec.Address) error {
	for name := range c.keys {
		if c.placeOf(c.Book.State(), name).Store == address {
			delete(c.keys, name)
		}
	}
	open := c.opened[address]
	delete(c.opened, address)
	if open == nil {
		return nil
	}
	if err := open.Close(); err != nil {
		return fmt.Errorf("%s: %w", address, err)
	}
	return nil
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
	if err := c.plug(ctx, a.Address, false); err != nil {
		return Result{}, err
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
