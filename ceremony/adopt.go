package ceremony

import (
	"context"

	"pki.internal/hsm"
	"pki.internal/plan"
)

// adopt takes an authority in that other software made. Its key has been
// opened by now, when it is here, and is the one of the certificate: a store
// gives no other. Nothing is signed with it.
func (c *ceremony) adopt(ctx context.Context, a plan.Action) (Result, error) {
	fact := &plan.Adopted{
		Action: a.Number, Address: a.Address, Generation: a.Adopt.Generation, Certificate: a.Adopt.Certificate, CRL: a.Adopt.CRL,
		KeySeen: a.Adopt.Key != nil,
	}
	if fact.KeySeen {
		key := c.keys[keyOf{a.Address, a.Adopt.Generation}]
		if key == nil {
			return Result{}, refuse("bring the key and run the command again", "the key of %s is not open", a.Address)
		}
		if known, ok := key.(hsm.Evident); ok {
			said, err := c.evidence(a, "", known.Evidence(ctx))
			if err != nil {
				return Result{}, err
			}
			fact.Evidence = said
		}
	}
	return Result{DER: a.Adopt.Certificate}, c.append(plan.Event{Kind: plan.AuthorityAdopted, Audience: plan.Public, Adopted: fact})
}
