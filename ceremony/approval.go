package ceremony

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"pki.internal/plan"
)

// Review holds a plan against the estate and the ledger as Admit does, without
// the clock, the tool and the people: it is what an officer's approval rests
// on. Every error is a Refusal.
func Review(r Request) error {
	digest := hex.EncodeToString(r.Digest)
	if err := notRevoked(r, digest); err != nil {
		return err
	}
	a := &Admitted{plan: r.Plan, digest: digest}
	if err := a.place(r.History.State(), r); err != nil {
		return err
	}
	return remake(r)
}

// notRevoked refuses a plan that the estate has withdrawn, approved or not.
func notRevoked(r Request, digest string) error {
	if slices.Contains(r.Estate.RevokedPlans, digest) {
		return refuse("make a new plan with pki plan --out FILE; a ceremony of this one that has begun ends with pki ceremony abort",
			"the plan was withdrawn: its digest stands in revoked_plans of the estate")
	}
	return nil
}

// quorum counts the officers who approved the plan. A ceremony that has begun
// was approved; its approvals stand in the ledger.
func (a *Admitted) quorum(s plan.State, r Request) error {
	officers := s.Approvers(r.Plan)
	if s.Open != nil || officers == nil {
		return nil
	}
	var bad []string
	names := []string{}
	for _, given := range r.Approvals {
		if slices.Contains(names, given.Officer) {
			continue
		}
		if err := s.CheckApproval(r.Plan, a.digest, given); err != nil {
			bad = append(bad, err.Error())
			continue
		}
		names = append(names, given.Officer)
		a.approvals = append(a.approvals, given)
	}
	if len(names) >= officers.Approvals {
		return nil
	}
	var missing []string
	for _, o := range officers.Officers {
		if o.PublicKey != "" && !slices.Contains(names, o.Name) {
			missing = append(missing, o.Name)
		}
	}
	fact := fmt.Sprintf("the plan needs %s and has %d", approvals(officers.Approvals), len(names))
	if len(names) > 0 {
		fact += " (" + strings.Join(names, ", ") + ")"
	}
	for _, b := range bad {
		fact += "; " + b
	}
	return refuse(fmt.Sprintf("let officers review and approve it with pki approve PLAN --as OFFICER --key FILE (%s)", strings.Join(missing, ", ")), "%s", fact)
}

func approvals(n int) string {
	if n == 1 {
		return "1 approval"
	}
	return fmt.Sprintf("%d approvals", n)
}
