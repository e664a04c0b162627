package main

import (
	"fmt"
	"strings"

	"pki.internal/ceremony"
	"pki.internal/plan"
)

// proofRows says what a restore drill tries of a key.
func proofRows(action plan.Action) []string {
	k := action.ProveKey
	where := "file " + k.Location
	if k.OnToken() {
		where = "token; " + k.Location
	}
	rows := []string{"       Kept in\t" + k.Store.String() + ", " + where, "       Key id\t" + k.KeyID}
	return append(rows, "       Proof\tit signs a challenge, and the signature goes into the ledger")
}

// proofTitle is the line of a restore drill's proof in a ledger.
func proofTitle(k *plan.KeyProven) string {
	if k.Failed {
		return fmt.Sprintf("action %d: key of %s in %s did NOT prove itself", k.Action, plan.Label(k.Address, k.Key.Generation), k.Key.Store)
	}
	return fmt.Sprintf("action %d: key of %s in %s signed a challenge%s", k.Action, plan.Label(k.Address, k.Key.Generation), k.Key.Store, openedBy(k.Shares))
}

// openedBy says which shares gave the secret of a key's place.
func openedBy(used *plan.SharesUsed) string {
	if used == nil {
		return ""
	}
	return fmt.Sprintf(", opened with %s of %s", plan.Numbers(used.Numbers), used.Secret)
}

// proofCells tells of a proof in the report of a ceremony.
func proofCells(k *plan.KeyProven) [][]reportCell {
	if k.Failed {
		return [][]reportCell{{leadCell(k.Address), plainCell("did NOT prove itself in %s", k.Key.Store)}, {plainCell("where"), codeCell(k.Key.Location)}}
	}
	return [][]reportCell{
		{leadCell(k.Address), plainCell("proved itself in %s%s", k.Key.Store, openedBy(k.Shares))},
		{plainCell("where"), codeCell(k.Key.Location)},
		{plainCell("challenge"), codeCell(k.Challenge)},
	}
}

// verifyProofs says which keys proved themselves in a restore drill, and when.
func verifyProofs(v *verification, s plan.State) {
	for _, a := range s.Authorities() {
		for _, g := range a.Generations {
			for _, at := range g.Places() {
				switch last, held := g.Drilled(at.Store); {
				case held && last.Failed:
					v.pass(plan.Label(a.Address, g.Number), "restore drill in %s: the key did NOT prove itself on %s", at.Store, instant(last.At))
				case held:
					v.pass(plan.Label(a.Address, g.Number), "restore drill in %s: the key signed a challenge on %s", at.Store, instant(last.At))
				}
			}
		}
	}
}

// drillFailed says which keys did not prove themselves in a drill that was held
// to its end.
func drillFailed(p *plan.Plan, s plan.State) error {
	var failed []string
	for _, action := range p.Actions {
		if action.ProveKey == nil {
			continue
		}
		a, _ := s.Authority(action.Address)
		g, _ := a.At(action.ProveKey.Generation)
		if last, held := g.Drilled(action.ProveKey.Store); held && last.Failed {
			failed = append(failed, fmt.Sprintf("%s in %s", plan.Label(action.Address, action.ProveKey.Generation), action.ProveKey.Store))
		}
	}
	if len(failed) == 0 {
		return nil
	}
	return &ceremony.Refusal{
		Fact: fmt.Sprintf("the drill is in the ledger, and %d of %s did not prove themselves: %s", len(failed), count(len(p.Actions), "key"), strings.Join(failed, ", ")),
		Next: "find out why and drill again, or make another backup while the key still signs elsewhere",
	}
}
