package hclspec

import "pki.internal/spec"

func (raw *rawCustodians) link() *spec.Custodians {
	c := &spec.Custodians{Origin: raw.Origin, Threshold: raw.Threshold}
	for _, h := range raw.Holders {
		c.Holders = append(c.Holders, spec.Holder{Origin: h.Origin, Name: h.Name, Recipient: h.Recipient, Identity: h.Identity, Site: h.Site})
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
