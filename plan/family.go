package plan

import "pki.internal/spec"

// family is the estate's issuance, worked out once.
type family struct {
	order    []*spec.Authority // issuers before what they sign
	children map[*spec.Authority][]*spec.Authority
	heights  map[*spec.Authority]int // tiers below
}

func familyOf(e *spec.Estate) family {
	f := family{order: e.IssuanceOrder(), children: map[*spec.Authority][]*spec.Authority{}, heights: map[*spec.Authority]int{}}
	for _, a := range e.Authorities {
		if a.Issuer != nil {
			f.children[a.Issuer] = append(f.children[a.Issuer], a)
		}
	}
	for i := range f.order {
		a := f.order[len(f.order)-1-i]
		if a.Issuer != nil {
			f.heights[a.Issuer] = max(f.heights[a.Issuer], 1+f.heights[a])
		}
	}
	return f
}
