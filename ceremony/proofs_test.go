package ceremony_test

import (
	"bytes"
	"slices"
	"testing"

	"pki.internal/plan"
)

// TestProofsDecideNothing verifies signatures ahead, on a ledger in which one was
// changed, or the key that made it: Apply accepts and refuses what it would
// without.
func TestProofsDecideNothing(t *testing.T) {
	s := newScene(t, "two-tier")
	if err := s.run(s.makePlan(planTime), false); err != nil {
		t.Fatal(err)
	}
	book := s.book()
	var facts []plan.Event
	for _, e := range book.Entries {
		facts = append(facts, *e.Fact)
	}
	if plan.Prove(nil) != nil || plan.Prove(facts) == nil {
		t.Fatal("nothing was proved, or something of nothing")
	}
	signed := func(e *plan.Event) **plan.Signed {
		if e.Certificate != nil {
			return &e.Certificate
		}
		return &e.CRL
	}
	tried := 0
	for i := range facts {
		if *signed(&facts[i]) == nil {
			continue
		}
		tried++
		state := book.StateAt(i).Knowing(plan.Prove(facts))
		if _, err := state.Apply(facts[i], plan.Head{}); err != nil {
			t.Errorf("fact %d: %v", i+1, err)
		}
		for name, change := range map[string]func(*plan.Signed){
			"its signature": func(c *plan.Signed) { c.DER[len(c.DER)-1] ^= 1 },
			"its bytes":     func(c *plan.Signed) { c.DER[len(c.DER)/3] ^= 1 },
			"its action":    func(c *plan.Signed) { c.Action++ },
		} {
			changed := slices.Clone(facts)
			copied := **signed(&facts[i])
			copied.DER = bytes.Clone(copied.DER)
			change(&copied)
			*signed(&changed[i]) = &copied
			if _, err := state.Knowing(plan.Prove(changed)).Apply(changed[i], plan.Head{}); err == nil {
				t.Errorf("fact %d: %s was changed, and nobody noticed", i+1, name)
			}
		}
		// Another key's proofs say nothing about this one.
		changed := slices.Clone(facts)
		for n, e := range changed {
			if e.KeyMade != nil {
				made := *e.KeyMade
				for _, other := range facts {
					if other.KeyMade != nil && other.KeyMade.Address != made.Address {
						made.SPKI = other.KeyMade.SPKI
					}
				}
				changed[n].KeyMade = &made
			}
		}
		if _, err := state.Knowing(plan.Prove(changed)).Apply(facts[i], plan.Head{}); err != nil {
			t.Errorf("fact %d, with proofs of nothing: %v", i+1, err)
		}
	}
	if tried != 4 {
		t.Errorf("%d signatures were tried", tried)
	}
}
