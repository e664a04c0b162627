package ceremony

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"pki.internal/plan"
	"pki.internal/plan/tbs"
)

// signCRL signs a CRL, or takes one that was signed ahead and whose second
// fact an interruption has kept from the ledger.
func (c *ceremony) signCRL(ctx context.Context, a plan.Action) (Result, error) {
	planned := a.SignCRL
	state := c.Book.State()
	built, err := state.CRLTBS(planned)
	if err != nil {
		return Result{}, err
	}
	differ, err := planned.Differs(built)
	if err != nil {
		return Result{}, err
	}
	var der []byte
	if sealed := state.Open.Sealed; sealed != nil {
		der = sealed.DER
	} else if der, err = c.makeCRL(ctx, a, built); err != nil {
		return Result{}, err
	}
	signed := &plan.Signed{Action: a.Number, Address: a.Address, Number: planned.Number, Voids: planned.Voids, DER: der}
	if planned.Slot > 0 {
		if state.Open.Sealed == nil {
			fact := &plan.Signed{Action: a.Number, Address: a.Address, Number: planned.Number, DER: der}
			if err := c.append(plan.Event{Kind: plan.CRLSealed, Audience: plan.Restricted, Sealed: fact}); err != nil {
				return Result{}, err
			}
		}
		sum := sha256.Sum256(der)
		signed.DER, signed.SHA256 = nil, hex.EncodeToString(sum[:])
	}
	return Result{DER: der, Differ: differ}, c.append(plan.Event{Kind: plan.CRLSigned, Audience: plan.Public, CRL: signed})
}

// makeCRL has the bytes of a CRL judged, signs them, and has the whole judged
// again. A CRL that is signed ahead is judged as of the day of its release.
func (c *ceremony) makeCRL(ctx context.Context, a plan.Action, built []byte) ([]byte, error) {
	planned := a.SignCRL
	authority, err := c.authority(a.Address)
	if err != nil {
		return nil, err
	}
	state := c.Book.State()
	whole, _ := state.Authority(a.Address)
	have, known := whole.As(planned.Issuer.Generation)
	if !known {
		return nil, fmt.Errorf("the key of %s does not exist", plan.Label(a.Address, planned.Issuer.Generation))
	}
	draft, err := tbs.Draft(built, planned.Issuer.Algorithm)
	if err != nil {
		return nil, err
	}
	object := plan.LintCRL(c.admitted.estate, state, authority, planned)
	object.DER, object.Draft, object.Issuer, object.Previous = draft, true, have.Certificate, have.NewestCRL()
	begins := planned.Template.ThisUpdate
	cleared, findings, err := c.linter.ClearCRL(object, a.Address.String(), c.policy, begins)
	if err != nil {
		return nil, err
	}
	if err := noNewFindings(planned.Findings, findings); err != nil {
		return nil, err
	}
	key, spki, err := c.key(ctx, planned.Issuer)
	if err != nil {
		return nil, err
	}
	der, err := sealObject(ctx, key, planned.Issuer.Algorithm, spki, cleared)
	if err != nil {
		return nil, err
	}
	object.DER, object.Draft = der, c.standsIn(planned.Issuer)
	if _, _, err := c.linter.ClearCRL(object, a.Address.String(), c.policy, begins); err != nil {
		return nil, fmt.Errorf("the signed CRL, which has been thrown away: %w", err)
	}
	return der, nil
}
