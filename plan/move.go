package plan

import (
	"errors"
	"fmt"
	"slices"

	"pki.internal/spec"
)

// MoveAction gives what the ledger has under one address to another, which is
// the action's own.
type MoveAction struct {
	From    spec.Address `json:"from"`
	Outputs []string     `json:"outputs"` // its files under their new names
}

// ForgetAction says that the estate no longer describes an authority, on
// purpose. Keys and certificates stay as they are.
type ForgetAction struct {
	Certificates int `json:"certificates"` // that it leaves behind
}

// Moved says that an address took over from another.
type Moved struct {
	Action  int          `json:"action"`
	Address spec.Address `json:"address"`
	From    spec.Address `json:"from"`
}

// Forgotten says that an authority is no longer described.
type Forgotten struct {
	Action  int          `json:"action"`
	Address spec.Address `json:"address"`
}

// moves plans what moved and removed blocks say, first of all: everything
// that follows sees the new addresses.
func (m *maker) moves() {
	for _, move := range m.estate.Moves {
		if !m.state.holds(move.From) {
			continue // it has moved, or was never there
		}
		if m.state.holds(move.To) {
			m.diags.Report(move.Origin, "to", "Move onto another block",
				"The ledger has both %s and %s, each with a key of its own. Choose another address for the new block.", move.From, move.To)
			continue
		}
		m.state = m.state.changedBy(func(s *State) { s.move(move.From, move.To) })
		action := &MoveAction{From: move.From, Outputs: []string{}}
		if have, known := m.state.Authority(move.To); known {
			for _, f := range m.state.filesOf(have) {
				action.Outputs = append(action.Outputs, f.Path)
			}
		}
		m.add(Action{Kind: Move, Address: move.To, Move: action})
		m.changed(Change{Address: move.To, Class: Renamed, Why: fmt.Sprintf("it was %s before; key and certificates stay as they are", move.From)})
	}
	for _, r := range m.estate.Removals {
		for _, have := range m.state.Authorities() {
			if r.Names(have.Address) && !have.Forgotten {
				m.forget(r, have)
			}
		}
	}
}

func (m *maker) forget(r *spec.Removal, have Authority) {
	for _, other := range m.state.Authorities() {
		described := slices.ContainsFunc(m.estate.Authorities, func(a *spec.Authority) bool { return a.Address == other.Address })
		if other.Issuer == have.Address && other.Address != have.Address && described {
			m.diags.Report(r.Origin, "from", "Removed authority is still needed",
				"%s issued the certificate of %s, which the estate describes. Give that one another issuer first, or remove it too.", have.Address, other.Address)
			return
		}
	}
	m.add(Action{Kind: Forget, Address: have.Address, Forget: &ForgetAction{Certificates: have.certificates()}})
	why := "the estate no longer describes it; its key, its certificates and its files stay as they are"
	if have.CRL != nil {
		why += ", and nobody signs its next CRL"
	}
	m.changed(Change{Address: have.Address, Class: Retired, Why: why})
}

// letGo reports whether a removed block names an address.
func (m *maker) letGo(address spec.Address) bool {
	return slices.ContainsFunc(m.estate.Removals, func(r *spec.Removal) bool { return r.Names(address) })
}

// certificates counts what an authority leaves behind.
func (a Authority) certificates() int {
	n := 0
	for _, g := range a.Generations {
		n += len(g.Certificates)
	}
	return n
}

// holds reports whether the ledger has a key under an address.
func (s State) holds(address spec.Address) bool {
	if address.Kind == "provisioner" {
		_, known := s.Provisioner(address)
		return known
	}
	_, known := s.Authority(address)
	return known
}

// changedBy gives a state after a change that no entry has made yet; it is how
// a plan looks ahead.
func (s State) changedBy(change func(*State)) State {
	next := s
	next.past, next.now, next.delta = s.past.copied(s.now), s.now+1, newDelta()
	change(&next)
	next.past.keep(next.now, next.delta)
	next.delta = nil
	return next
}

// move gives everything under one address to another. What names the old
// address in another authority's words names the new one from then on.
func (s *State) move(from, to spec.Address) {
	if p, known := s.Provisioner(from); known {
		p.Address = to
		s.delta.provisioners[from], s.delta.provisioners[to] = nil, &p
		return
	}
	for _, a := range s.Authorities() {
		if moved, changed := a.renamed(from, to); changed {
			if a.Address == from {
				s.delta.authorities[from] = nil
			}
			s.delta.authorities[moved.Address] = &moved
		}
	}
}

// renamed gives an authority after an address has changed, and whether it is
// concerned.
func (a Authority) renamed(from, to spec.Address) (Authority, bool) {
	changed := a.Address == from
	next := a
	next.Generations = nil
	if changed {
		next.Address = to
	}
	for _, g := range a.Generations {
		if changed && g.Key != nil {
			key := *g.Key
			key.Address = to
			g.Key = &key
		}
		g.Certificates = slices.Clone(g.Certificates)
		for i, c := range g.Certificates {
			if c.Issuer != from {
				continue
			}
			changed = true
			g.Certificates[i].Issuer = to
			if c.Want["issuer"] == from.String() {
				g.Certificates[i].Want = withWord(c.Want, "issuer", to.String())
			}
		}
		next = next.with(g)
	}
	return next, changed
}

func withWord(words map[string]string, word, value string) map[string]string {
	next := map[string]string{}
	for k, v := range words {
		next[k] = v
	}
	next[word] = value
	return next
}

func (s *State) moved(e *Moved) error {
	action, err := s.expect(e.Action, Move, e.Address)
	switch {
	case err != nil:
		return err
	case action.Move.From != e.From || e.From.Kind != e.Address.Kind:
		return errors.New("it moves another address than the plan says")
	case !s.holds(e.From) || s.holds(e.Address):
		return fmt.Errorf("%s cannot become %s in this ledger", e.From, e.Address)
	}
	s.move(e.From, e.Address)
	s.Open.Done++
	return nil
}

func (s *State) forgotten(e *Forgotten) error {
	action, err := s.expect(e.Action, Forget, e.Address)
	if err != nil {
		return err
	}
	have, known := s.Authority(e.Address)
	if !known || action.Forget.Certificates != have.certificates() {
		return errors.New("what it forgets is not what the ledger has")
	}
	have.Forgotten = true
	s.put(have)
	s.Open.Done++
	return nil
}
