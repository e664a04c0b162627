package ceremony

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"pki.internal/hsm"
	"pki.internal/lint"
	"pki.internal/plan"
	"pki.internal/plan/tbs"
	"pki.internal/plan/tbs/public"
	"pki.internal/spec"
)

// perform carries out one action and writes the files it gives.
func (c *ceremony) perform(ctx context.Context, a plan.Action) error {
	c.Desk.Begin(a)
	var result Result
	var err error
	switch a.Kind {
	case plan.GenerateKey, plan.GenerateSSHKey:
		result, err = c.generateKey(ctx, a)
	case plan.SignCertificate:
		result, err = c.signCertificate(ctx, a)
	case plan.SignCRL:
		result, err = c.signCRL(ctx, a)
	case plan.SignRequest:
		result, err = c.signRequest(ctx, a)
	case plan.SignOCSP:
		result, err = c.signOCSP(ctx, a)
	case plan.GenerateProvisionerKey:
		result, err = c.provisionerKey(a)
	case plan.InitializeToken:
		result, err = c.initializeToken(ctx, a)
	case plan.Move:
		result, err = c.move(a)
	case plan.Adopt:
		result, err = c.adopt(ctx, a)
	case plan.Forget:
		result, err = c.forget(a)
	case plan.AppointOfficers:
		err = c.append(plan.Event{
			Kind:     plan.OfficersAppointed,
			Officers: &plan.Appointed{Action: a.Number, Officers: *a.AppointOfficers},
		})
	case plan.EstablishShares:
		result, err = c.establishShares(ctx, a)
	case plan.ReshareSecret:
		result, err = c.reshare(ctx, a)
	case plan.BackUpKey:
		result, err = c.backUpKey(ctx, a)
	case plan.SealKey:
		result, err = c.sealKey(ctx, a)
	case plan.ProveKey:
		result, err = c.proveKey(ctx, a)
	}
	if err != nil {
		return err
	}
	if err := c.removeRetired(); err != nil {
		return err
	}
	outputs := c.Book.State().OutputsOf(a)
	for _, f := range outputs {
		result.Files = append(result.Files, f.Path)
	}
	if err := c.writeMissing(outputs); err != nil {
		return err
	}
	c.Desk.Done(a, result)
	return nil
}

// generateKey makes a key, or adopts the one that an interrupted run of this
// very action left behind. The intent is on disk before the key can be.
func (c *ceremony) generateKey(ctx context.Context, a plan.Action) (Result, error) {
	store, err := c.store(ctx, a.Key().Store)
	if err != nil {
		return Result{}, err
	}
	spec, err := keySpec(*a.Key())
	if err != nil {
		return Result{}, err
	}
	if err := c.passagesOf(ctx, a); err != nil {
		return Result{}, err
	}
	adopted := false
	var key hsm.Key
	var evidence []hsm.Evidence
	if c.Book.State().Open.Intent != nil {
		key, err = store.Find(ctx, spec, nil)
		adopted = err == nil
		if known, ok := key.(hsm.Evident); adopted && ok {
			evidence = known.Evidence(ctx)
		}
		if err != nil && !errors.Is(err, hsm.ErrNotFound) {
			return Result{}, err
		}
	} else if err := c.append(plan.Event{
		Kind:        plan.KeyWasIntended,
		KeyIntended: &plan.KeyIntended{Action: a.Number, Key: *a.Key()},
	}); err != nil {
		return Result{}, err
	}
	if !adopted {
		if key, evidence, err = store.Generate(ctx, spec); err != nil {
			return Result{}, err
		}
	}
	spki, err := public.Marshal(key.Public())
	if err != nil {
		return Result{}, err
	}
	said, err := c.evidence(a, "", evidence)
	if err != nil {
		return Result{}, err
	}
	made := &plan.KeyMade{Action: a.Number, Address: a.Address, Key: *a.Key(), SPKI: spki, Adopted: adopted, Evidence: said}
	if err := c.append(plan.Event{Kind: plan.KeyWasMade, KeyMade: made}); err != nil {
		return Result{}, err
	}
	c.keys[keyOf{a.Address, a.Key().Generation}] = key
	return Result{SPKI: spki, Adopted: adopted, Said: against(evidence), Files: a.Outputs()}, nil
}

// against gives what speaks against a key, for the screen.
func against(evidence []hsm.Evidence) (said []string) {
	for _, e := range evidence {
		if e.Against {
			said = append(said, "NOTE: "+e.Claim)
		}
	}
	return said
}

func (c *ceremony) authority(address spec.Address) (*spec.Authority, error) {
	for _, a := range c.admitted.estate.Authorities {
		if a.Address == address {
			return a, nil
		}
	}
	return nil, fmt.Errorf("the estate has no %s", address)
}

// keyOf names one key of an authority.
type keyOf struct {
	address    spec.Address
	generation int
}

// key gives the key that signs an action. One whose token made room for
// another comes back with its token, and proves itself again.
func (c *ceremony) key(ctx context.Context, ref plan.KeyRef) (hsm.Key, []byte, error) {
	name := keyOf{ref.Address, ref.Generation}
	have, _ := c.Book.State().Authority(ref.Address)
	g, known := have.At(ref.Generation)
	if known && g.Key != nil {
		place := c.placeOf(c.Book.State(), name)
		store, err := c.store(ctx, place.Store)
		if err != nil {
			return nil, nil, err
		}
		if c.keys[name] == nil {
			if err := c.find(ctx, store, &plan.KeyMade{Address: ref.Address, Key: place, SPKI: g.SPKI()}); err != nil {
				return nil, nil, err
			}
		}
		verifies, _ := c.Book.State().Verifying(g.SPKI())
		return c.keys[name], verifies, nil
	}
	return nil, nil, fmt.Errorf("the key of %s is not open", plan.Label(ref.Address, ref.Generation))
}

func (c *ceremony) signCertificate(ctx context.Context, a plan.Action) (Result, error) {
	planned := a.SignCertificate
	state := c.Book.State()
	built, err := state.CertificateTBS(planned)
	if err != nil {
		return Result{}, err
	}
	draft, err := tbs.Draft(built, planned.Issuer.Algorithm)
	if err != nil {
		return Result{}, err
	}
	object, err := state.Object(c.admitted.estate, a, draft, true)
	if err != nil {
		return Result{}, err
	}
	cleared, findings, err := c.linter.ClearCertificate(object, a.Address.String(), c.policy, c.plan.At)
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
	der, err := sealObject(ctx, key, planned.Issuer.Algorithm, spki, cleared)
	if err != nil {
		return Result{}, err
	}
	object.DER, object.Draft = der, c.standsIn(planned.Issuer)
	if _, _, err := c.linter.ClearCertificate(object, a.Address.String(), c.policy, c.plan.At); err != nil {
		return Result{}, fmt.Errorf("the signed certificate, which has been thrown away: %w", err)
	}
	differ, err := planned.Differs(built)
	if err != nil {
		return Result{}, err
	}
	return Result{DER: der, Differ: differ}, c.append(plan.Event{
		Kind:        plan.CertificateSigned,
		Certificate: &plan.Signed{Action: a.Number, Address: a.Address, Generation: planned.Generation, DER: der},
	})
}

// standsIn reports whether another key signs in a rehearsal for the one of a
// reference, so that the signature is not the issuer's.
func (c *ceremony) standsIn(ref plan.KeyRef) bool {
	_, stands := c.Book.State().Verifying(ref.SPKI)
	return stands
}

// noNewFindings holds what lint says at the table against what the reviewers
// of the plan saw.
func noNewFindings(planned, now []lint.Finding) error {
	for _, f := range now {
		if !slices.ContainsFunc(planned, func(p lint.Finding) bool { return p.Lint == f.Lint && p.Severity == f.Severity }) {
			return refuse("stop, and have a new plan made and reviewed", "lint finds %s (%s), which the plan does not show", f.Lint, f.Detail)
		}
	}
	return nil
}
