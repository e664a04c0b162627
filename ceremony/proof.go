package ceremony

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"

	"pki.internal/hsm"
	"pki.internal/plan"
)

// proveKey has a key sign a challenge in one of the places where it is kept,
// and enters the signature, and the shares that gave the secret of the place.
// What does not prove itself is entered as well: that is what a drill is for.
// An interruption before the entry loses nothing: another challenge is signed.
func (c *ceremony) proveKey(ctx context.Context, a plan.Action) (Result, error) {
	at := *a.ProveKey
	k := c.storeOf(at.Store)
	if k == nil {
		return Result{}, fmt.Errorf("the estate has no %s", at.Store)
	}
	event := &plan.KeyProven{Action: a.Number, Address: a.Address, Key: at}
	for {
		if k.Password != nil { // a secret that nobody has here is no fault of the key
			if err := c.unlockSecret(ctx, k.Password.Address); err != nil {
				return Result{}, err
			}
			event.Shares = c.used[k.Password.Address]
		}
		evidence, err := c.challengeAt(ctx, event)
		if err == nil {
			event.Evidence, err = c.evidence(a, "", evidence)
			if err != nil {
				return Result{}, err
			}
			break
		}
		if ctx.Err() != nil {
			return Result{}, ctx.Err()
		}
		again, failed := c.drillFault(ctx, c.giveUp(at.Store, err))
		if failed != nil {
			return Result{}, failed
		}
		if !again {
			event.Challenge, event.Signature, event.Failed = "", nil, true
			break
		}
	}
	said := []string{fmt.Sprintf("the key in %s did NOT prove itself; that goes into the ledger", at.Store)}
	if !event.Failed {
		said[0] = fmt.Sprintf("the key in %s signed the challenge %s, and the signature verifies", at.Store, event.Challenge)
	}
	if u := event.Shares; u != nil {
		said = append(said, fmt.Sprintf("%s came from %s", u.Secret, plan.Numbers(u.Numbers)))
	}
	return Result{Said: said}, c.append(plan.Event{Kind: plan.KeyWasProven, Proven: event})
}

// challengeAt opens a place and has its key sign a new challenge.
func (c *ceremony) challengeAt(ctx context.Context, event *plan.KeyProven) ([]hsm.Evidence, error) {
	state, at := c.Book.State(), event.Key
	have, _ := state.Authority(event.Address)
	g, _ := have.At(at.Generation)
	wanted, err := keySpec(at)
	if err != nil {
		return nil, err
	}
	store, err := c.store(ctx, at.Store)
	if err != nil {
		return nil, err
	}
	key, err := store.Find(ctx, wanted, g.SPKI())
	if err != nil {
		return nil, fmt.Errorf("key of %s in %s: %w", plan.Label(event.Address, at.Generation), at.Store, err)
	}
	nonce := make([]byte, 32)
	if _, err := io.ReadFull(c.Rand, nonce); err != nil {
		return nil, err
	}
	event.Challenge = hex.EncodeToString(nonce)
	verifies, _ := state.Verifying(g.SPKI())
	if event.Signature, err = challenge(ctx, key, at.Algorithm, verifies, at.Proof(event.Address, event.Challenge)); err != nil {
		return nil, err
	}
	if known, is := key.(hsm.Evident); is {
		return known.Evidence(ctx), nil
	}
	return nil, nil
}

// drillFault notes why a key did not prove itself. People decide whether it is
// tried again; where nobody does, the drill goes on with the next.
func (c *ceremony) drillFault(ctx context.Context, cause error) (again bool, err error) {
	if !c.Unattended && c.formal() {
		c.Desk.Say("This did not work: " + cause.Error() + ". With repeat it is tried again; with continue the ledger says that the key failed.")
		decision, err := c.exception(ctx, c.step, cause.Error())
		return decision == plan.Repeat, err
	}
	c.Desk.Say("This did not work: " + cause.Error() + ".")
	return false, c.decide(ctx, c.step, &plan.ExceptionNoted{
		Step: c.step.Number, At: c.now(), Expected: c.step.Expect, Happened: cause.Error(), Decision: plan.GoOn,
	})
}
