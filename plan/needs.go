package plan

import (
	"slices"
	"time"

	"pki.internal/spec"
)

// KeyNeeded is a key that exists and signs in a ceremony, and where it lives.
type KeyNeeded struct {
	Address    spec.Address `json:"address"`
	Generation int          `json:"generation"`
	Store      spec.Address `json:"store"`
}

// TokenNeeded is a token that has to be in the room.
type TokenNeeded struct {
	Store  spec.Address `json:"store"`
	Label  string       `json:"label,omitempty"`
	Serial string       `json:"serial,omitempty"`
}

// Duty is what somebody has to do after a ceremony, and until when.
type Duty struct {
	Name  string    `json:"name"`
	Owner string    `json:"owner"` // an officer's name
	By    time.Time `json:"by"`
	Text  string    `json:"text"`
}

// needsRoom says who and what must be there beside secrets and custodians.
func (m *maker) needsRoom() {
	n, e := &m.plan.Needs, m.estate
	n.Roles = m.rolesNeeded()
	n.Witnesses = e.WitnessesNeeded()
	n.Keys = m.keysNeeded()
	m.tokensNeeded()
	if c := e.Ceremony; c != nil {
		n.Readers, n.Copies, n.Network = c.Readers, c.Copies, c.Network
		for _, d := range c.Duties {
			n.Duties = append(n.Duties, Duty{Name: d.Name, Owner: d.Owner.Name, By: d.Within.From(m.in.At), Text: d.Text})
		}
	}
}

// rolesNeeded lists the roles of the officers who are in office, or whom the
// first ceremony appoints. Somebody always types.
func (m *maker) rolesNeeded() []string {
	officers := m.state.Approvers(m.plan)
	var roles []string
	for _, role := range spec.Roles() {
		named := officers != nil && slices.ContainsFunc(officers.Officers, func(o Officer) bool { return o.Role == role })
		if named || role == spec.Operator {
			roles = append(roles, role)
		}
	}
	return roles
}

// keysNeeded lists the keys of the ledger that sign something in this plan,
// and those that are taken in.
func (m *maker) keysNeeded() []KeyNeeded {
	var found []KeyNeeded
	seen := map[KeyNeeded]bool{}
	add := func(k KeyNeeded) {
		if !seen[k] {
			seen[k] = true
			found = append(found, k)
		}
	}
	described := map[spec.Address]*spec.Authority{}
	for _, a := range m.estate.Authorities {
		described[a.Address] = a
	}
	use := func(address spec.Address, generation int) {
		have, _ := m.state.Authority(address)
		if g, known := have.At(generation); known && g.Key != nil {
			add(KeyNeeded{address, generation, g.Place(described[address]).Store})
		}
	}
	for _, a := range m.plan.Actions {
		if issuer, signs := a.Issuer(); signs {
			use(issuer.Address, issuer.Generation)
		}
		if a.BackUpKey != nil {
			use(a.Address, a.BackUpKey.Key.Generation)
		}
		if k := a.ProveKey; k != nil {
			add(KeyNeeded{a.Address, k.Generation, k.Store})
		}
		if a.Adopt != nil && a.Adopt.Key != nil {
			add(KeyNeeded{a.Address, a.Adopt.Key.Generation, a.Adopt.Key.Store})
		}
	}
	return found
}

// tokensNeeded lists the tokens that the plan's keys are on, or will be.
func (m *maker) tokensNeeded() {
	n := &m.plan.Needs
	for _, k := range m.estate.KeyStores {
		if k.Token == nil {
			continue
		}
		used := slices.ContainsFunc(n.Keys, func(have KeyNeeded) bool { return have.Store == k.Address }) ||
			slices.ContainsFunc(m.plan.Actions, func(a Action) bool {
				return a.Key() != nil && a.Key().Store == k.Address || a.Kind == InitializeToken && a.Address == k.Address ||
					a.BackUpKey != nil && a.BackUpKey.Key.Store == k.Address
			})
		if used {
			n.Tokens = append(n.Tokens, TokenNeeded{Store: k.Address, Label: k.Token.Label, Serial: k.Token.Serial})
		}
	}
}
