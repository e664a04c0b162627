package ceremony

import (
	"context"
	"fmt"

	"pki.internal/lint"
	"pki.internal/plan"
	"pki.internal/plan/tbs"
)

// signRequest signs the request for a certificate that somebody else issues.
func (c *ceremony) signRequest(ctx context.Context, a plan.Action) (Result, error) {
	planned := a.SignRequest
	state := c.Book.State()
	built, err := state.RequestTBS(planned)
	if err != nil {
		return Result{}, err
	}
	draft, err := tbs.Draft(built, planned.Key.Algorithm)
	if err != nil {
		return Result{}, err
	}
	cleared, findings, err := c.linter.ClearCSR(draft, a.Address.String(), c.policy, c.plan.At)
	if err != nil {
		return Result{}, err
	}
	if err := noNewFindings(planned.Findings, findings); err != nil {
		return Result{}, err
	}
	key, spki, err := c.key(ctx, planned.Key)
	if err != nil {
		return Result{}, err
	}
	der, err := SealRequest(ctx, key, planned.Key.Algorithm, spki, cleared)
	if err != nil {
		return Result{}, err
	}
	if found, pass := c.policy.Judge(a.Address.String(), c.judgeRequest(der, planned.Key), c.plan.At); !pass {
		return Result{}, fmt.Errorf("the signed request, which has been thrown away: %w", &lint.Refused{Object: a.Address.String(), Findings: found})
	}
	return Result{DER: der}, c.append(plan.Event{
		Kind: plan.RequestSigned, Audience: plan.Public,
		Request: &plan.Signed{Action: a.Number, Address: a.Address, Generation: planned.Key.Generation, DER: der},
	})
}

// judgeRequest has lint read a signed request. In a rehearsal another key may
// have signed, so that the signature is not its own.
func (c *ceremony) judgeRequest(der []byte, ref plan.KeyRef) []lint.Finding {
	if c.standsIn(ref) {
		return c.linter.DraftCSR(der)
	}
	return c.linter.CSR(der)
}
