package hclspec

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"pki.internal/spec"
)

type rawMoved struct {
	spec.Origin

	From hcl.Expression `hcl:"from" doc:"the address that a block had, such as authority.old"`
	To   hcl.Expression `hcl:"to" doc:"the address that it has now, such as authority.new"`
}

type rawRemoved struct {
	spec.Origin

	From hcl.Expression `hcl:"from" doc:"the address of a block that was taken out, such as authority.old"`
}

// addressOf reads an expression that names a block, which need not be there.
func (x *linker) addressOf(expr hcl.Expression) (spec.Address, bool) {
	t, diags := hcl.AbsTraversalForExpr(expr)
	name, named := step(t, 1)
	var address spec.Address
	if !diags.HasErrors() {
		address = spec.Address{Kind: t.RootName(), Name: name}
	}
	if named && len(t) == 3 {
		index, is := t[2].(hcl.TraverseIndex)
		if is && index.Key.Type() == cty.String {
			address.Key = index.Key.AsString()
		} else {
			named = false
		}
	}
	if _, err := spec.ParseAddress(address.String()); diags.HasErrors() || !named || len(t) > 3 || err != nil {
		x.report(expr.Range(), "Not an address", "This is not the address of a block. Write it without quotes, as authority.NAME or authority.NAME[\"key\"].")
		return address, false
	}
	return address, true
}

// wrong reports a block that is there and has been refused already.
func (x *linker) wrong(address spec.Address) bool {
	for _, a := range []spec.Address{address, {Kind: address.Kind, Name: address.Name}} {
		if b := x.blocks[a]; b != nil && b.faulty {
			x.faults++
			return true
		}
	}
	return false
}

type keyPair struct{ from, to string }

// keysOf gives the keys of what moves: those of the instances, where both
// addresses name a whole block and the new one has for_each.
func (x *linker) keysOf(from, to spec.Address) []keyPair {
	b := x.blocks[to]
	if from.Key != "" || to.Key != "" || b == nil || b.forEach == nil {
		return []keyPair{{from.Key, to.Key}}
	}
	var pairs []keyPair
	for _, instance := range x.expand(b) {
		pairs = append(pairs, keyPair{instance.address.Key, instance.address.Key})
	}
	return pairs
}

// linkMoves takes over what a block says about addresses of before.
func (x *linker) linkMoves(b *block) {
	switch raw := b.decoded.Interface().(type) {
	case *rawMoved:
		from, good := x.addressOf(raw.From)
		to, also := x.addressOf(raw.To)
		if good && also && !x.wrong(to) {
			for _, key := range x.keysOf(from, to) {
				from.Key, to.Key = key.from, key.to
				x.estate.Moves = append(x.estate.Moves, &spec.Move{Origin: raw.Origin, From: from, To: to})
			}
		}
	case *rawRemoved:
		if from, good := x.addressOf(raw.From); good {
			x.estate.Removals = append(x.estate.Removals, &spec.Removal{Origin: raw.Origin, From: from})
		}
	}
}
