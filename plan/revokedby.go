package plan

import (
	"time"

	"pki.internal/plan/tbs"
	"pki.internal/spec"
)

// RevokedBy lists what an estate revokes of the certificates that an authority
// issued, by ascending serial number, for a CRL that is signed outside
// ceremonies. It is what a plan at that moment would list.
func RevokedBy(e *spec.Estate, s State, a *spec.Authority, at time.Time) ([]tbs.Entry, spec.Diagnostics) {
	m := &maker{
		estate: e, state: s, in: Inputs{At: at}, materials: map[spec.Address]*material{}, olderMaterials: map[spec.Address][]*material{},
	}
	for _, have := range s.Authorities() {
		for _, g := range have.Generations {
			if g.certificate() == nil {
				continue
			}
			own := materialOf(have.Address, g)
			m.olderMaterials[have.Address] = append(m.olderMaterials[have.Address], own)
			if g.Number == have.Generation {
				m.materials[have.Address] = own
			}
		}
	}
	m.findRevocations()
	have, _ := s.Authority(a.Address)
	return m.entries(a, have.Generation), m.diags.Sorted()
}
