package plan

import (
	"maps"
	"slices"
	"strings"

	"pki.internal/spec"
)

// Key gives the key that an action makes, nil when it makes none that lives in
// a key store.
func (a Action) Key() *KeyAction {
	switch a.Kind {
	case GenerateKey:
		return a.GenerateKey
	case GenerateSSHKey:
		return a.GenerateSSHKey
	}
	return nil
}

// sshKey plans the key of an SSH authority that has none. There is nothing to
// sign: an SSH authority is its key.
func (m *maker) sshKey(a *spec.SSHAuthority) {
	if a.Key == nil {
		return // it lives elsewhere
	}
	if have, known := m.state.SSHKey(a.Address); known {
		if have.Key.Algorithm != a.Key.Algorithm {
			m.diags.Report(a.Key.Origin, "algorithm", "Authority differs from its key",
				"The key of %s is %s, and the estate now says %s. A key does not change. Restore the old value, or describe a new authority under another name and let clients trust both for a while.",
				a.Address, have.Key.Algorithm.Title(), a.Key.Algorithm.Title())
		}
		return
	}
	m.initializeToken(a.Key.Store)
	id := m.idInStore("ssh key id", a.Address, spec.FirstGeneration, a.Key)
	m.add(Action{
		Kind: GenerateSSHKey, Address: a.Address, Irreversible: true,
		GenerateSSHKey: &KeyAction{
			Generation: spec.FirstGeneration, Store: a.Key.Store.Address, Algorithm: a.Key.Algorithm,
			KeyID: id, Label: a.KeyName(), Location: m.location(a.Key.Store, id, a.KeyName()),
		},
	})
	m.useSecret(a.Key.Store.Password)
}

// SSHKey gives what the ledger knows of an SSH authority's key.
func (s State) SSHKey(a spec.Address) (KeyMade, bool) {
	found, ok := s.sshKeys[a]
	return found, ok
}

// SSHKeys lists the keys of every SSH authority by address.
func (s State) SSHKeys() []KeyMade {
	return slices.SortedFunc(maps.Values(s.sshKeys), func(a, b KeyMade) int {
		return strings.Compare(a.Address.String(), b.Address.String())
	})
}

// KeysOf lists the keys that the ledger knows in one store, backups among them:
// those of authorities, then those of SSH authorities.
func (s State) KeysOf(store spec.Address) []*KeyMade {
	var keys []*KeyMade
	for _, a := range s.Authorities() {
		for _, g := range a.Generations {
			if there, is := g.In(store); is {
				at := *g.Key
				at.Key = there
				keys = append(keys, &at)
			}
		}
	}
	for _, k := range s.SSHKeys() {
		if k.Key.Store == store {
			keys = append(keys, &k)
		}
	}
	return keys
}
