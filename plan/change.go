package plan

import (
	"crypto/x509"
	"slices"
	"strings"

	"pki.internal/plan/tbs"
	"pki.internal/spec"
)

// Class says how much a change asks of people and of relying parties.
type Class string

// The classes of change, from the lightest to the heaviest.
const (
	NewCRL         Class = "new_crl"         // the same key signs a list
	NewCertificate Class = "new_certificate" // a certificate is signed for the key that is there
	NewKey         Class = "new_key"         // the key is replaced
	NewRoot        Class = "new_root"        // what relying parties trust is replaced
	Renamed        Class = "moved"           // the address changes, and nothing else
	Retired        Class = "removed"         // the estate lets go of it
)

// Change is what the plan makes of something that the ledger has already.
// What is new altogether has no change: its actions say everything.
type Change struct {
	Address    spec.Address `json:"address"`
	Class      Class        `json:"class"`
	Why        string       `json:"why,omitempty"` // beside the attributes, such as a renewal that is due
	Attributes []Difference `json:"attributes,omitempty"`
	Blast      *Blast       `json:"blast_radius,omitempty"`
	Actions    []int        `json:"actions"` // numbers of the actions that carry it out
}

// Difference is one attribute of the estate that differs from what the
// certificate was made from.
type Difference struct {
	Name   string `json:"name"`
	Before string `json:"before,omitempty"` // empty when it was not there
	After  string `json:"after,omitempty"`  // empty when it is no longer there
}

// Blast is what feels a change.
type Blast struct {
	Authorities []spec.Address `json:"authorities,omitempty"` // below, whose chains change
	OnlineCAs   []spec.Address `json:"online_cas,omitempty"`  // whose configuration changes
	Leaves      bool           `json:"leaves"`                // every certificate that they issued
}

// changed notes a change; its actions are found at the end.
func (m *maker) changed(c Change) { m.changes = append(m.changes, c) }

// blast gives what hangs below an authority.
func (m *maker) blast(a *spec.Authority, replaced bool) *Blast {
	b := &Blast{}
	under := map[*spec.Authority]bool{a: true}
	for queue := []*spec.Authority{a}; len(queue) > 0; queue = queue[1:] {
		for _, child := range m.family.children[queue[0]] {
			under[child] = true
			queue = append(queue, child)
			if replaced {
				b.Authorities = append(b.Authorities, child.Address)
			}
		}
	}
	for _, o := range m.estate.OnlineCAs {
		if under[o.Authority] {
			b.OnlineCAs = append(b.OnlineCAs, o.Address)
		}
	}
	b.Leaves = replaced
	if len(b.Authorities)+len(b.OnlineCAs) == 0 && !b.Leaves {
		return nil
	}
	return b
}

// revokedBlast gives what hangs below the authorities that a list revokes and the
// one before did not: whoever relies on it has to be told.
func (m *maker) revokedBlast(a *spec.Authority, last *x509.RevocationList, entries []tbs.Entry) *Blast {
	if last == nil {
		return nil
	}
	b := &Blast{}
	for _, child := range m.family.children[a] {
		own := m.materials[child.Address]
		if own == nil || own.certificate == nil {
			continue
		}
		serial := own.certificate.SerialNumber
		now := slices.ContainsFunc(entries, func(e tbs.Entry) bool { return compareSerials(e.Serial, serial.Text(16)) == 0 })
		before := slices.ContainsFunc(last.RevokedCertificateEntries, func(e x509.RevocationListEntry) bool { return e.SerialNumber.Cmp(serial) == 0 })
		if !now || before {
			continue
		}
		b.Authorities, b.Leaves = append(b.Authorities, child.Address), true
		if below := m.blast(child, true); below != nil {
			b.Authorities, b.OnlineCAs = append(b.Authorities, below.Authorities...), append(b.OnlineCAs, below.OnlineCAs...)
		}
	}
	if len(b.Authorities) == 0 {
		return nil
	}
	return b
}

// sealChanges gives every change its actions, and lists those of a CRL that
// nothing but its date or its entries changes.
func (m *maker) sealChanges() {
	of := map[spec.Address][]int{}
	for _, a := range m.plan.Actions {
		of[a.Address] = append(of[a.Address], a.Number)
	}
	told := map[spec.Address]bool{}
	for i, c := range m.changes {
		m.changes[i].Actions, told[c.Address] = slices.Clone(of[c.Address]), true
	}
	lists := map[int]int{} // the change of an action, of a list alone
	for _, a := range m.plan.Actions {
		if a.Kind != SignCRL || a.SignCRL.Number == "1" || told[a.Address] {
			continue
		}
		if a.SignCRL.Slot > 0 { // it follows the list that is signed with it, or a first one
			if i, follows := lists[a.Number-1]; follows && m.changes[i].Address == a.Address {
				m.changes[i].Actions, lists[a.Number] = append(m.changes[i].Actions, a.Number), i
			}
			continue
		}
		lists[a.Number] = len(m.changes)
		m.changes = append(m.changes, Change{Address: a.Address, Class: NewCRL, Why: m.crlReasons[a.Number], Blast: m.crlBlasts[a.Number], Actions: []int{a.Number}})
	}
	// What waits for somebody else has no action yet.
	m.plan.Changes = slices.DeleteFunc(m.changes, func(c Change) bool { return len(c.Actions) == 0 })
}

// differences compares the estate's words with those that a certificate was
// made from, word by word.
func differences(have, want map[string]string) []Difference {
	var all []Difference
	for _, word := range wantedWords(have, want) {
		before, after := strings.TrimSpace(have[word]), strings.TrimSpace(want[word])
		if before != after {
			all = append(all, Difference{Name: word, Before: before, After: after})
		}
	}
	return all
}
