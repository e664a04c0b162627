package ceremony

import (
	"pki.internal/hsm"
	"pki.internal/plan"
)

// evidence gives what anybody may know of what an action made. What says which
// device it was goes into a fact of its own before, for a narrower audience.
func (c *ceremony) evidence(a plan.Action, serial string, all []hsm.Evidence) (public []plan.Evidence, err error) {
	seen := &plan.TokenSeen{Action: a.Number, Address: a.Address, Serial: serial}
	for _, e := range all {
		said := plan.Evidence{Claim: e.Claim, Grade: string(e.Grade)}
		if e.Device {
			seen.Evidence = append(seen.Evidence, said)
		} else {
			public = append(public, said)
		}
	}
	if serial == "" && len(seen.Evidence) == 0 {
		return public, nil
	}
	return public, c.append(plan.Event{Kind: plan.TokenIdentified, Token: seen})
}
