package plan

import (
	"encoding/hex"
	"slices"
	"strconv"

	"pki.internal/spec"
)

// wholeKeyID is how many bytes the id of a key has.
const wholeKeyID = 16

// idInStore draws the id of a key, CKA_ID on a token. Where a token was seen to keep
// fewer bytes the id has as many, and it is drawn again while another key of
// that store has it.
func (m *maker) idInStore(purpose string, address spec.Address, generation int, key *spec.Key) string {
	n := uint(wholeKeyID)
	stores := append([]*spec.KeyStore{key.Store}, key.Backup...)
	for _, k := range stores {
		if short := k.IDBytes(); short > 0 {
			n = min(n, short)
		}
	}
	about := strconv.Itoa(generation)
	for again := 1; ; again++ {
		id := hex.EncodeToString(m.draw(purpose, address, about, int(n)))
		if n == wholeKeyID || again > 1<<10 || !slices.ContainsFunc(stores, func(k *spec.KeyStore) bool { return m.hasKeyID(k.Address, id) }) {
			return id // 16 random bytes are nobody else's; a token that is full of keys says so before anything is made
		}
		about = strconv.Itoa(generation) + " " + strconv.Itoa(again)
	}
}

// hasKeyID reports whether a key in a store, made or planned, has an id.
func (m *maker) hasKeyID(store spec.Address, id string) bool {
	if slices.ContainsFunc(m.state.KeysOf(store), func(k *KeyMade) bool { return k.Key.KeyID == id }) {
		return true
	}
	return slices.ContainsFunc(m.plan.Actions, func(a Action) bool {
		made := a.Key()
		if a.BackUpKey != nil {
			made = &a.BackUpKey.Key
		}
		return made != nil && made.Store == store && made.KeyID == id
	})
}
