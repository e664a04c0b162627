package plan

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"pki.internal/spec"
)

// past holds every version of everything that a ledger speaks of, so that the
// states after each entry share what they have in common: state number n sees
// the newest version up to n. It only grows, at its end; a state that is not
// the newest goes on in a copy of its own.
type past struct {
	newest       int
	authorities  timeline[Authority]
	provisioners timeline[ProvKey]
	tokens       timeline[TokenReady]
	crosses      timeline[Cross]
	responders   timeline[Responder]
	owners       map[string][]version[spec.Address] // of a public key

	lock   sync.Mutex
	listed int // the state that list is of
	list   []Authority

	signedAt int // the state that signed is of
	signed   map[signer][]Issued
}

type version[V any] struct {
	at   int
	gone bool
	what V
}

// timeline is a map whose older values stay.
type timeline[V any] map[spec.Address][]version[V]

func (t timeline[V]) at(a spec.Address, n int) (V, bool) { return newestUpTo(t[a], n) }

func newestUpTo[V any](versions []version[V], n int) (V, bool) {
	for i := len(versions) - 1; i >= 0; i-- {
		if versions[i].at <= n {
			return versions[i].what, !versions[i].gone
		}
	}
	var none V
	return none, false
}

// upTo copies what a state can see.
func (t timeline[V]) upTo(n int) timeline[V] {
	cut := timeline[V]{}
	for a, versions := range t {
		if v, found := newestUpTo(versions, n); found {
			cut[a] = []version[V]{{at: n, what: v}}
		}
	}
	return cut
}

func (t timeline[V]) put(n int, changed map[spec.Address]*V) {
	for a, v := range changed {
		if v == nil {
			t[a] = append(t[a], version[V]{at: n, gone: true})
			continue
		}
		t[a] = append(t[a], version[V]{at: n, what: *v})
	}
}

// copied gives a past of its own to a state.
func (p *past) copied(n int) *past {
	cut := p.empty(n)
	cut.authorities, cut.provisioners, cut.tokens = p.authorities.upTo(n), p.provisioners.upTo(n), p.tokens.upTo(n)
	cut.crosses, cut.responders = p.crosses.upTo(n), p.responders.upTo(n)
	for key, versions := range p.owners {
		if v, found := newestUpTo(versions, n); found {
			cut.owners[key] = []version[spec.Address]{{at: n, what: v}}
		}
	}
	return cut
}

// from gives the past of a state that goes on: the same one for the newest
// state, a copy for any other.
func (p *past) from(n int) *past {
	switch {
	case p == nil:
		return p.empty(n)
	case p.newest == n:
		return p
	}
	return p.copied(n)
}

func (*past) empty(n int) *past {
	return &past{
		newest: n, authorities: timeline[Authority]{}, provisioners: timeline[ProvKey]{}, tokens: timeline[TokenReady]{},
		crosses: timeline[Cross]{}, responders: timeline[Responder]{},
		owners: map[string][]version[spec.Address]{}, listed: -1, signedAt: -1,
	}
}

// delta is what one event changes; nil stands for what is no longer there.
type delta struct {
	authorities  map[spec.Address]*Authority
	provisioners map[spec.Address]*ProvKey
	tokens       map[spec.Address]*TokenReady
	crosses      map[spec.Address]*Cross
	responders   map[spec.Address]*Responder
}

func newDelta() *delta {
	return &delta{map[spec.Address]*Authority{}, map[spec.Address]*ProvKey{}, map[spec.Address]*TokenReady{}, map[spec.Address]*Cross{}, map[spec.Address]*Responder{}}
}

// keep makes a delta part of the past, as state number n.
func (p *past) keep(n int, d *delta) {
	p.newest, p.listed, p.signedAt = n, -1, -1
	for a, changed := range d.authorities {
		if changed == nil {
			continue
		}
		for _, g := range changed.Generations {
			if owner, known := newestUpTo(p.owners[string(g.spki)], n); !known || owner != a {
				p.owners[string(g.spki)] = append(p.owners[string(g.spki)], version[spec.Address]{at: n, what: a})
			}
		}
	}
	p.authorities.put(n, d.authorities)
	p.provisioners.put(n, d.provisioners)
	p.tokens.put(n, d.tokens)
	p.crosses.put(n, d.crosses)
	p.responders.put(n, d.responders)
}

// all lists the authorities of state n by address.
func (p *past) all(n int) []Authority {
	p.lock.Lock()
	defer p.lock.Unlock()
	if p.listed == n {
		return p.list
	}
	type named struct {
		name string
		Authority
	}
	var found []named
	for address := range maps.Keys(p.authorities) {
		if a, known := p.authorities.at(address, n); known {
			found = append(found, named{address.String(), a})
		}
	}
	slices.SortFunc(found, func(a, b named) int { return strings.Compare(a.name, b.name) })
	p.list, p.listed = make([]Authority, len(found)), n
	for i, f := range found {
		p.list[i] = f.Authority
	}
	return p.list
}
