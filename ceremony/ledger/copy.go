package ledger

import (
	"pki.internal/plan"
)

// Copy gives the lines of a copy for an audience: facts that are not for it are
// withheld, and head and tree stay the same.
func (b *Book) Copy(to plan.Audience) ([]byte, error) {
	if _, err := to.Level(); err != nil {
		return nil, err
	}
	var text []byte
	for _, e := range b.Entries {
		if e.Fact != nil && !to.Sees(e.Fact.Audience) {
			commitment, err := commit(e.Salt, e.Fact)
			if err != nil {
				return nil, err
			}
			e.Withheld, e.Audience = commitment, e.Fact.Audience
			e.Fact, e.Salt = nil, nil
		}
		line, err := plan.Canonical(e)
		if err != nil {
			return nil, err
		}
		text = append(append(text, line...), '\n')
	}
	return text, nil
}

// Withheld counts the entries whose fact is left out of this copy.
func (b *Book) Withheld() int {
	n := 0
	for _, count := range b.withheld {
		n += count
	}
	return n
}

// Observed reports that plans are withheld from this copy, so that keys,
// certificates and CRLs were held against each other and not against a plan.
func (b *Book) Observed() bool { return b.observed }

// WithheldFrom counts the entries left out that are for an audience.
func (b *Book) WithheldFrom(a plan.Audience) int { return b.withheld[a] }
