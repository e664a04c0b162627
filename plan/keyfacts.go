package plan

import (
	"path"
	"slices"

	"pki.internal/lint"
	"pki.internal/spec"
)

// tokenKeys is what lint judges of the keys of an estate that are on tokens, or
// will be: of one that exists, what its token said when it was made; of one
// that does not, what the estate wants. What nobody knows counts as it should
// be, because a rule without its facts does not speak.
func tokenKeys(e *spec.Estate, s State) []lint.TokenKey {
	var all []lint.TokenKey
	for _, a := range e.Authorities {
		if a.Key == nil {
			continue
		}
		g, made := s.generation(a)
		store, label, id, backups := a.Key.Store, keyName(a), "", len(a.Key.Backup)
		if made {
			place := g.Place(a)
			store, label, id = storeAt(e, place.Store), place.Label, place.KeyID
			for _, b := range g.Backups {
				if !slices.ContainsFunc(a.Key.Backup, func(k *spec.KeyStore) bool { return k.Address == b.Key.Store }) {
					backups++
				}
			}
			if place.Store != g.Key.Key.Store {
				backups = max(0, backups-1) // it is used where a backup lies, and counts as the key itself
			}
		}
		if store == nil || store.Token == nil {
			continue
		}
		key := lint.TokenKey{
			Address: Label(a.Address, a.KeyGeneration()), Token: tokenLabel(store), Model: modelOf(store.Token), Label: label, ID: id,
			Sensitive: true, NeverExtractable: true, Copies: backups, Single: a.Key.BackupPolicy == spec.NoBackup,
		}
		if made {
			g.judgeable(&key)
		}
		all = append(all, key)
	}
	return all
}

// generation gives the key that the estate wants an authority to have, when it
// exists.
func (s State) generation(a *spec.Authority) (Generation, bool) {
	have, _ := s.Authority(a.Address)
	g, known := have.At(a.KeyGeneration())
	return g, known && g.Key != nil
}

// judgeable puts into a key's facts what was said of it when it was made. One of
// which a ceremony made copies could leave its token, encrypted, until it was
// sealed: that it was not always unextractable is no fault of it.
func (g Generation) judgeable(key *lint.TokenKey) {
	said := func(claim string) bool {
		return slices.ContainsFunc(g.Key.Evidence, func(e Evidence) bool { return e.Claim == claim })
	}
	key.Sealed = g.Key.Key.Extractable && g.Sealed
	key.Extractable = !key.Sealed && (g.open() || said("extractable=true"))
	key.Sensitive = !said("sensitive=false")
	key.NeverExtractable = !said("never_extractable=false")
}

func storeAt(e *spec.Estate, address spec.Address) *spec.KeyStore {
	i := slices.IndexFunc(e.KeyStores, func(k *spec.KeyStore) bool { return k.Address == address })
	if i < 0 {
		return nil
	}
	return e.KeyStores[i]
}

// tokenLabel names a token as the estate does.
func tokenLabel(k *spec.KeyStore) string {
	if k.Token.Label != "" {
		return k.Token.Label
	}
	return k.Address.String()
}

// modelOf says what the estate says that a token is. The device's own words
// stand in facts of the ledger that not everybody sees.
func modelOf(t *spec.Token) string {
	if t.Model != "" {
		return t.Model + ", " + path.Base(t.Module)
	}
	return path.Base(t.Module)
}

// ceremonyFacts is what a plan says of its own ceremony. Who reads the clock,
// which programs run and which network is up shows at the table.
func (m *maker) ceremonyFacts() *lint.CeremonyFacts {
	if len(m.plan.Actions) == 0 {
		return nil
	}
	facts := &lint.CeremonyFacts{}
	if officers := m.state.Approvers(m.plan); officers != nil {
		for _, o := range officers.Officers {
			facts.ClockReaders = append(facts.ClockReaders, o.Name) // two of them confirm it, or there is no ceremony
		}
	}
	for _, a := range m.plan.Actions {
		if a.Kind == EstablishShares || a.Kind == ReshareSecret {
			facts.SplitsSecret, facts.SharesTried = true, true // no set counts before every share is read back
		}
	}
	if m.estate.Environment != spec.Production {
		return facts
	}
	for _, k := range m.estate.KeyStores {
		if k.Token == nil || slices.ContainsFunc(facts.Tools, func(t lint.Tool) bool { return t.Name == k.Token.Module }) {
			continue
		}
		facts.Tools = append(facts.Tools, lint.Tool{Name: k.Token.Module, Pinned: k.Token.ModuleSHA256})
	}
	return facts
}
