package script

import (
	"pki.internal/plan"
	"pki.internal/spec"
)

// storesOf lists the key stores whose keys an action uses or makes, all at one
// time.
func (w *writer) storesOf(a plan.Action) []spec.Address {
	var all []spec.Address
	if k := a.Key(); k != nil {
		all = append(all, k.Store)
	}
	if a.Kind == plan.InitializeToken {
		all = append(all, a.Address)
	}
	if b := a.BackUpKey; b != nil { // one token wraps, the other unwraps
		all = append(all, b.From, b.Key.Store)
	}
	if a.SealKey != nil {
		all = append(all, a.SealKey.Store)
	}
	if a.ProveKey != nil {
		all = append(all, a.ProveKey.Store)
	}
	if a.Kind == plan.GenerateKey { // the way of its copies is tried right before
		for _, later := range w.plan.Following(a) {
			if b := later.BackUpKey; b != nil && b.Policy == spec.WrapThenSeal {
				all = append(all, b.Key.Store)
			}
		}
	}
	if a.Adopt != nil && a.Adopt.Key != nil {
		all = append(all, a.Adopt.Key.Store)
	}
	if issuer, signs := a.Issuer(); signs {
		if store, is := w.storeOfKey(issuer); is {
			all = append(all, store)
		}
	}
	return all
}

// keyOf names one generation's key of an authority.
type keyOf struct {
	address    spec.Address
	generation int
}

// placesOf gives the stores of the keys that exist already.
func placesOf(p *plan.Plan) map[keyOf]spec.Address {
	places := map[keyOf]spec.Address{}
	for _, k := range p.Needs.Keys {
		places[keyOf{k.Address, k.Generation}] = k.Store
	}
	return places
}

// storeOfKey finds where the key of a reference lives, or will.
func (w *writer) storeOfKey(k plan.KeyRef) (spec.Address, bool) {
	if k.MadeBy > 0 && k.MadeBy <= len(w.plan.Actions) {
		if made := w.plan.Actions[k.MadeBy-1].Key(); made != nil {
			return made.Store, true
		}
	}
	store, is := w.places[keyOf{k.Address, k.Generation}]
	return store, is
}
