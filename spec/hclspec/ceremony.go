package hclspec

import "pki.internal/spec"

// ceremony reads what a ceremony needs, and the duties after it.
func (x *linker) ceremony(raw *rawCeremony) *spec.Ceremony {
	c := &spec.Ceremony{Origin: raw.Origin, Readers: raw.Readers, Witnesses: raw.Witnesses, Copies: raw.Copies, Network: raw.Network, RestoreDrillEvery: raw.RestoreDrillEvery}
	for _, d := range raw.Duties {
		c.Duties = append(c.Duties, spec.Duty{
			Origin: d.Origin, Name: d.Name, Owner: d.Owner.address, Within: d.Within, Text: d.Text,
		})
	}
	return c
}
