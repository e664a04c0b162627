package ceremony

import (
	"context"
	"fmt"

	"pki.internal/lint"
	"pki.internal/plan"
	"pki.internal/plan/tbs"
)

// signOCSP signs the answer about one certificate.
func (c *ceremony) signOCSP(ctx context.Context, a plan.Action) (Result, error) {
	planned := a.SignOCSP
	state := c.Book.State()
	_, draft, err := state.OCSPTBS(planned)
	if err != nil {
		return Result{}, err
	}
	whole, _ := state.Authority(planned.Issuer.Address)
	issuer, _ := whole.As(planned.Issuer.Generation)
	response := lint.OCSPResponse{DER: draft, Responder: issuer.Certificate}
	cleared, findings, err := c.linter.ClearOCSP(response, a.Address.String(), c.policy, c.plan.At)
	if err != nil {
		return Result{}, err
	}
	if err := noNewFindings(planned.Findings, findings); err != nil {
		return Result{}, err
	}
	key, spki, err := c.key(ctx, planned.Issuer)
	if err != nil {
		return Result{}, err
	}
	basic, err := sealObject(ctx, key, planned.Issuer.Algorithm, spki, cleared)
	if err != nil {
		return Result{}, err
	}
	if response.DER, err = tbs.OCSPResponse(basic); err != nil {
		return Result{}, err
	}
	if _, _, err := c.linter.ClearOCSP(response, a.Address.String(), c.policy, c.plan.At); err != nil {
		return Result{}, fmt.Errorf("the signed OCSP response, which has been thrown away: %w", err)
	}
	return Result{DER: response.DER}, c.append(plan.Event{
		Kind: plan.OCSPWasSigned, Audience: plan.Public,
		OCSP: &plan.Signed{Action: a.Number, Address: a.Address, DER: response.DER},
	})
}
