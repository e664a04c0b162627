package plan

import (
	"slices"

	"pki.internal/lint"
	"pki.internal/spec"
)

// waivedIn gives the reasons why findings were accepted, by lint.
func waivedIn(findings []lint.Finding) map[string]string {
	var waived map[string]string
	for _, f := range findings {
		if f.Waived == "" {
			continue
		}
		if waived == nil {
			waived = map[string]string{}
		}
		waived[f.Lint] = f.Waived
	}
	return waived
}

// inheritedWaivers points at waivers that served an older generation of the
// same authority for the same reason: a new key is the moment to mend a fault,
// and not to carry it on unseen.
func (m *maker) inheritedWaivers() {
	for _, a := range m.plan.Actions {
		if a.Kind != SignCertificate {
			continue
		}
		for name, reason := range waivedIn(a.SignCertificate.Findings) {
			older := m.waivedBefore(a.Address, a.SignCertificate.Generation, name, reason)
			if older == 0 {
				continue
			}
			for _, w := range m.estate.Lint.Waivers {
				if w.Lint == name && w.Object == a.Address && w.Reason == reason {
					m.diags.Warn(w.Origin, "reason", "Waiver taken over from an older generation",
						"The waiver of %s served generation %d of %s already, for the same reason, and now serves generation %d. A new key is the moment to mend the fault. If it has to stay, say why it still does.",
						name, older, a.Address, a.SignCertificate.Generation)
				}
			}
		}
	}
}

// waivedBefore gives the newest older generation of which a lint was waived for
// the same reason, 0 when there is none.
func (m *maker) waivedBefore(address spec.Address, generation int, name, reason string) int {
	have, known := m.state.Authority(address)
	if !known {
		return 0
	}
	for _, g := range slices.Backward(have.Generations) {
		same := slices.ContainsFunc(g.Certificates, func(c Issued) bool { return c.Waived[name] == reason })
		if g.Number < generation && same {
			return g.Number
		}
	}
	return 0
}
