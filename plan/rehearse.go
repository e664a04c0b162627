package plan

import (
	"bytes"

	"pki.internal/plan/tbs"
	"pki.internal/spec"
)

// Rehearsing gives the state as a rehearsal sees it: everything is as it is,
// but what the ledger's keys should sign is signed by keys that stand in for
// them. standIns maps public keys of the ledger to theirs, both as
// SubjectPublicKeyInfo. Nobody has to approve what is only rehearsed.
func (s State) Rehearsing(standIns map[string][]byte) State {
	s.Environment, s.rehearses, s.standIns = spec.Rehearsal, true, standIns
	return s
}

// Verifying gives the public key under which a key's signatures verify: its
// own, but for a key that another stands in for.
func (s State) Verifying(spki []byte) (verifies []byte, standsIn bool) {
	stand, is := s.standIns[string(spki)]
	if !is {
		return spki, false
	}
	return stand, true
}

// mark marks what a rehearsal makes.
func (m *maker) mark(all []tbs.Extension) ([]tbs.Extension, error) {
	if m.estate.Environment != spec.Rehearsal {
		return all, nil
	}
	mark, err := tbs.RehearsalMark()
	for _, e := range all {
		if e.OID == mark.OID && bytes.Equal(e.Value, mark.Value) {
			return all, err // taken over with the extensions of another certificate
		}
	}
	return append(all, mark), err
}
