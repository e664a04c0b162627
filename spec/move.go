package spec

import "slices"

// Move says that a block has another address than before. What the ledger has
// under the old one belongs to the new one: an address is bound to a real key.
type Move struct {
	Origin
	From, To Address
}

// Removal says that a block was taken out on purpose. The ledger keeps what it
// has; nothing is destroyed, and nothing more is signed.
type Removal struct {
	Origin
	From Address // without a key: every instance of a block that had for_each
}

// Names reports whether the block speaks of an address.
func (r *Removal) Names(a Address) bool {
	return r.From == a || r.From.Key == "" && r.From.Kind == a.Kind && r.From.Name == a.Name
}

// movable are the kinds of block that the ledger has keys of.
func movable() []string { return []string{"authority", "provisioner"} }

// validateMoves holds moved and removed blocks against what is declared.
func (e *Estate) validateMoves(d *Diagnostics) {
	declared := map[Address]bool{}
	for _, a := range e.Authorities {
		declared[a.Address] = true
	}
	for _, p := range e.Provisioners {
		declared[p.Address] = true
	}
	from, to := map[Address]bool{}, map[Address]bool{}
	for _, m := range e.Moves {
		switch {
		case !slices.Contains(movable(), m.From.Kind) || m.From.Kind != m.To.Kind:
			d.Report(m.Origin, "from", "Move that cannot be made",
				"%s cannot become %s. Authorities and provisioners have keys in the ledger, and each moves to another address of its own kind.", m.From, m.To)
		case m.From == m.To:
			d.Report(m.Origin, "to", "Move to the same address", "%s is both ends of the move. Remove the block.", m.From)
		case declared[m.From]:
			d.Report(m.Origin, "from", "Moved block still stands", "%s is declared, so it has not moved. Remove one of the two blocks.", m.From)
		case !declared[m.To]:
			d.Report(m.Origin, "to", "Move to an undeclared block", "No %s is declared. Declare it, or write removed { from = %s } when it is meant to go.", m.To, m.From)
		case from[m.From] || to[m.To]:
			d.Report(m.Origin, "from", "Two moves of one block", "Another moved block names %s or %s too. Keep one of them.", m.From, m.To)
		}
		from[m.From], to[m.To] = true, true
	}
	for _, r := range e.Removals {
		switch {
		case r.From.Kind != "authority":
			d.Report(r.Origin, "from", "Removal of something without a certificate", "%s leaves no trace that needs a removed block; removed is for authorities. Remove this block.", r.From)
		case slices.ContainsFunc(e.Authorities, func(a *Authority) bool { return r.Names(a.Address) }):
			d.Report(r.Origin, "from", "Removed block still stands", "%s is declared, so it is not removed. Remove one of the two blocks, or name the key that is gone.", r.From)
		case from[r.From]:
			d.Report(r.Origin, "from", "Block moved and removed", "%s is moved elsewhere. Remove this block.", r.From)
		}
		from[r.From] = true
	}
}
