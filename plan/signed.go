package plan

import (
	"bytes"
	"slices"

	"pki.internal/spec"
)

// signer is one key of an authority.
type signer struct {
	address    spec.Address
	generation int
}

// signedBy lists every certificate of another key that a key has signed, as
// the ledger knows it: of authorities, those that were replaced included,
// cross-certificates and OCSP responders. The list is not to be changed.
func (s State) signedBy(address spec.Address, generation int) []Issued {
	if s.past == nil {
		return nil
	}
	s.past.lock.Lock()
	defer s.past.lock.Unlock()
	if s.past.signedAt != s.now {
		s.past.signed, s.past.signedAt = s.past.whoSigned(s.now), s.now
	}
	return s.past.signed[signer{address, generation}]
}

func (p *past) whoSigned(n int) map[signer][]Issued {
	found := map[signer][]Issued{}
	for address := range p.authorities {
		a, known := p.authorities.at(address, n)
		if !known {
			continue
		}
		for _, g := range a.Generations {
			for _, c := range g.Certificates {
				if c.Issuer != address {
					found[signer{c.Issuer, c.IssuerGeneration}] = append(found[signer{c.Issuer, c.IssuerGeneration}], c)
				}
			}
		}
	}
	for address := range p.crosses {
		x, _ := p.crosses.at(address, n)
		for _, c := range x.Certificates {
			found[signer{c.Issuer, c.IssuerGeneration}] = append(found[signer{c.Issuer, c.IssuerGeneration}], c)
		}
	}
	for address := range p.responders {
		r, _ := p.responders.at(address, n)
		for _, c := range r.Certificates {
			found[signer{c.Issuer, c.IssuerGeneration}] = append(found[signer{c.Issuer, c.IssuerGeneration}], c)
		}
	}
	for _, all := range found {
		slices.SortFunc(all, func(a, b Issued) int { return bytes.Compare(a.DER, b.DER) })
	}
	return found
}
