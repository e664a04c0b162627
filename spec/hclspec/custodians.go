package hclspec

import "pki.internal/spec"

func (raw *rawCustodians) link() *spec.Custodians {
	c := &spec.Custodians{Origin: raw.Origin, Threshold: raw.Threshold, Sharing: 1, DrillEvery: raw.DrillEvery}
	if raw.Sharing != nil {
		c.Sharing = *raw.Sharing
	}
	add := func(group string, holders []rawHolder) {
		for _, h := range holders {
			c.Holders = append(c.Holders, spec.Holder{Origin: h.Origin, Name: h.Name, Recipient: h.Recipient, Identity: h.Identity, Site: h.Site, Group: group, Officer: h.Officer.address})
		}
	}
	add("", raw.Holders)
	for _, g := range raw.Groups {
		c.Groups = append(c.Groups, spec.CustodianGroup{Origin: g.Origin, Name: g.Name, Threshold: g.Threshold, Count: len(g.Holders)})
		add(g.Name, g.Holders)
	}
	return c
}

func (x *linker) fillSecret(s *spec.Secret, raw *rawSecret) {
	s.Custodians, s.Dice = x.custodians[raw.Custodians.address], raw.Dice
	switch {
	case raw.Length != nil:
		s.Length = *raw.Length
	case s.Custodians != nil:
		s.Length = spec.DefaultSecret
	}
}
