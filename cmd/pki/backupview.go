package main

import (
	"fmt"
	"strings"

	"pki.internal/plan"
	"pki.internal/spec"
)

// backupRows says of a key that is made what becomes of it when its place is
// lost. A key in a file without a backup is no news: it is a file.
func backupRows(p *plan.Plan, made plan.Action) []string {
	var copies []string
	sealed, policy := 0, spec.NoBackup
	for _, a := range p.Following(made) {
		switch {
		case a.BackUpKey != nil:
			policy = a.BackUpKey.Policy
			copies = append(copies, fmt.Sprintf("%s (action %d)", a.BackUpKey.Key.Store, a.Number))
		case a.SealKey != nil:
			sealed = a.Number
		}
	}
	switch {
	case len(copies) == 0 && !made.Key().OnToken():
		return nil
	case len(copies) == 0:
		return []string{"       Backup\t" + policy + ": when the token dies, so does the key"}
	}
	rows := []string{"       Backup\t" + policy + ": " + strings.Join(copies, ", ")}
	if made.Key().Extractable {
		rows = append(rows, fmt.Sprintf("       \tcan leave its token, encrypted, until action %d; it signs nothing before that", sealed))
	}
	return rows
}

// copyRows says how a copy comes about and how it is proved.
func copyRows(b *plan.BackUpAction) []string {
	where := "file " + b.Key.Location
	if b.Key.OnToken() {
		where = "token; " + b.Key.Location
	}
	how := map[string]string{
		spec.WrapThenSeal: "one token wraps the key, the other unwraps it; the way was tried with a throw-away key before",
		spec.VendorClone:  "the vendor's tool copies it; the ceremony stops until it has",
		spec.CopyFile:     "encrypted anew, under the password of the other key store",
	}[b.Policy]
	return []string{
		"       Copied from\t" + b.From.String(), "       Kept in\t" + b.Key.Store.String() + ", " + where,
		"       How\t" + b.Policy + ": " + how, "       Proof\toriginal and copy sign one challenge, and both signatures go into the ledger",
	}
}

// verifyBackups says which keys of a ledger have a second place.
func verifyBackups(v *verification, s plan.State) {
	for _, a := range s.Authorities() {
		for _, g := range a.Generations {
			for _, b := range g.Backups {
				v.pass(plan.Label(a.Address, g.Number), "backup in %s; key and copy signed one challenge on %s", b.Key.Store, instant(b.Proven))
			}
		}
	}
}

// backupCells tells of a backup in the report of a ceremony.
func backupCells(b *plan.KeyBackedUp) [][]reportCell {
	how := "made"
	if b.Adopted {
		how = "taken over after an interruption, made"
	}
	rows := [][]reportCell{
		{leadCell(b.Address), plainCell("backup, %s in %s by %s; key and copy signed one challenge", how, b.BackUp.Key.Store, b.BackUp.Policy)},
		{plainCell("where"), codeCell(b.BackUp.Key.Location)},
		{plainCell("challenge"), codeCell(b.Challenge)},
	}
	if w := b.Way; w != nil {
		rows = append(rows, []reportCell{plainCell("way"), plainCell("%s (%s), under a key that went by %s", w.Wrap, w.Format, w.Carrier)})
	}
	return rows
}
