package plan

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"pki.internal/plan/tbs"
	"pki.internal/spec"
)

// DrillAll is what a restore drill of everything is called.
const DrillAll = "all"

// KeyProven is the outcome of a restore drill: the key was where the ledger has
// it, its secret was there, and it signed, which every reader of the ledger
// verifies; or it failed.
type KeyProven struct {
	Action    int          `json:"action"`
	Address   spec.Address `json:"address"`
	Key       KeyAction    `json:"key"`                 // in the place where it proved itself
	Challenge string       `json:"challenge,omitempty"` // 32 random bytes, hex
	Signature []byte       `json:"signature,omitempty"` // over Proof
	Shares    *SharesUsed  `json:"shares,omitempty"`
	Evidence  []Evidence   `json:"evidence,omitempty"`
	// Failed says that it did not prove itself. Why stands in the exception
	// before, for fewer readers.
	Failed bool `json:"failed,omitempty"`
}

// SharesUsed says which shares gave the secret that opened a key's place.
// Shares are numbers here: who holds them stands in facts for fewer readers.
type SharesUsed struct {
	Secret  spec.Address `json:"secret"`
	Set     string       `json:"set"`     // id, hex
	Numbers []int        `json:"numbers"` // rising
}

// Proof gives what a key signs in a restore drill. It names key and place, and
// is the beginning of no certificate or CRL: those begin with the tag of a
// SEQUENCE.
func (k KeyAction) Proof(address spec.Address, challenge string) []byte {
	return fmt.Appendf(nil, "pki proof v1|%s|%d|%s|%s|%s", address, k.Generation, k.KeyID, k.Store, challenge)
}

// KeyDrill is what the last restore drill of a key in one place showed.
type KeyDrill struct {
	At     time.Time
	Failed bool
}

// Drilled gives the last restore drill of a generation's key in a place, false
// before the first.
func (g Generation) Drilled(store spec.Address) (KeyDrill, bool) {
	last, held := g.drills[store]
	return last, held
}

// Places lists where the key of a generation is kept, where it was made first.
func (g Generation) Places() []KeyAction {
	if g.Key == nil {
		return nil
	}
	all := []KeyAction{g.Key.Key}
	for _, b := range g.Backups {
		all = append(all, b.Key)
	}
	return all
}

// failedDrills says where a key did not prove itself when it was last tried.
func (c *calendar) failedDrills() {
	for _, a := range c.state.Authorities() {
		g, known := a.At(a.Generation)
		if !known || a.Forgotten {
			continue
		}
		for _, key := range g.Places() {
			if last, held := g.Drilled(key.Store); held && last.Failed {
				c.add(Appointment{
					Kind: ForLoss, Object: a.Address.String(), What: "its key failed the restore drill in " + key.Store.String(), From: last.At, Until: last.At,
					Action: "find it, and drill again (pki plan --restore-drill " + key.Store.String() + "); else make another backup",
				})
			}
		}
	}
}

// restoreDrills says when the keys in each key store are to be tried again, the
// one that was not tried for longest first. A key that was made or copied there
// signed there.
func (c *calendar) restoreDrills() {
	if c.estate == nil || c.estate.Ceremony == nil || c.estate.Ceremony.RestoreDrillEvery.IsZero() {
		return
	}
	oldest, keys := map[spec.Address]time.Time{}, map[spec.Address]int{}
	var stores []spec.Address
	for _, a := range c.state.Authorities() {
		g, known := a.At(a.Generation)
		if !known || a.Forgotten {
			continue
		}
		for _, key := range g.Places() {
			at := g.triedIn(key.Store)
			if at.IsZero() {
				continue // a copy of the ledger does not say
			}
			if keys[key.Store]++; keys[key.Store] == 1 {
				stores = append(stores, key.Store)
			}
			if last, is := oldest[key.Store]; !is || at.Before(last) {
				oldest[key.Store] = at
			}
		}
	}
	for _, store := range stores {
		until := c.estate.Ceremony.RestoreDrillEvery.From(oldest[store])
		c.add(Appointment{
			Kind: ForDrill, Object: store.String(), What: "restore drill of " + counted(keys[store], "key", "keys"),
			From: until.Add(-until.Sub(oldest[store]) / 12), Until: until, Action: "pki plan --restore-drill " + store.String() + " --out FILE",
		})
	}
}

// triedIn gives when the generation's key last signed in a key store for all
// that the ledger knows of trying it: in a drill, or when it came there.
func (g Generation) triedIn(store spec.Address) time.Time {
	if last, held := g.Drilled(store); held {
		return last.At
	}
	for _, b := range g.Backups {
		if b.Key.Store == store {
			return b.Proven
		}
	}
	return g.opened
}

func (s *State) proveKey(e *KeyProven, at time.Time) error {
	action, err := s.expect(e.Action, ProveKey, e.Address)
	if err != nil {
		return err
	}
	if *action.ProveKey != e.Key {
		return errors.New("another key proves itself, or elsewhere, than the plan says")
	}
	a, _ := s.Authority(e.Address)
	g, known := a.At(e.Key.Generation)
	if place, there := g.In(e.Key.Store); !known || !there || place != e.Key {
		return errors.New("a key proves itself that is not where the plan says")
	}
	verifies, _ := s.Verifying(g.spki)
	if err := e.verify(verifies); err != nil {
		return err
	}
	if e.Shares != nil {
		if err := s.useShares(e.Shares, at); err != nil {
			return err
		}
	}
	drills := map[spec.Address]KeyDrill{e.Key.Store: {at, e.Failed}}
	for store, when := range g.drills {
		if store != e.Key.Store {
			drills[store] = when
		}
	}
	g.drills = drills
	s.put(a.with(g))
	s.Open.Done++
	return nil
}

// verify holds the signature against a public key.
func (e *KeyProven) verify(spki []byte) error {
	if e.Failed {
		if e.Challenge != "" || len(e.Signature) > 0 {
			return errors.New("a proof that failed has a signature")
		}
		return nil
	}
	if raw, err := hex.DecodeString(e.Challenge); err != nil || len(raw) != 32 || hex.EncodeToString(raw) != e.Challenge {
		return errors.New("its challenge is not 32 bytes in hex")
	}
	if err := tbs.Verify(e.Key.Algorithm, spki, e.Key.Proof(e.Address, e.Challenge), e.Signature); err != nil {
		return fmt.Errorf("the signature of the key over its challenge: %w", err)
	}
	return nil
}

// useShares notes which shares gave a secret back: those are proven, as in a
// drill of shares, and none of them is lost.
func (s *State) useShares(used *SharesUsed, at time.Time) error {
	i := s.shareSet(used.Secret)
	if i < 0 || s.shares[i].Set != used.Set {
		return errors.New("the set of shares that it names is not in force")
	}
	set := s.shares[i]
	set.Proven, set.Lost = slices.Clone(set.Proven), slices.Clone(set.Lost)
	last := 0
	for _, n := range used.Numbers {
		if n <= last || n > len(set.Proven) {
			return errors.New("it does not count the shares that it used, each once")
		}
		set.Proven[n-1], set.Lost[n-1], last = at, time.Time{}, n
	}
	if len(used.Numbers) < set.Shares.Threshold {
		return errors.New("it used fewer shares than the secret needs")
	}
	s.shares = slices.Clone(s.shares)
	s.shares[i] = set
	return nil
}

// observeProof verifies a proof in a ledger without its plans.
func (s *State) observeProof(e *KeyProven) error {
	a, _ := s.Authority(e.Address)
	g, known := a.At(e.Key.Generation)
	if !known {
		return nil // of a key that was taken in before
	}
	return e.verify(g.spki)
}

// restoreDrill plans to have keys prove themselves in the places where they are
// kept, and nothing else: whatever the estate wants beside it waits.
func (m *maker) restoreDrill() {
	wanted := slices.Compact(slices.Sorted(slices.Values(m.in.RestoreDrill)))
	m.plan.RestoreDrill = wanted
	places := m.keyPlaces()
	for _, name := range wanted {
		found := slices.ContainsFunc(places, func(p keyPlace) bool { return p.named(name) })
		if !found {
			m.say("Nothing to drill", "%s", m.noPlace(name))
		}
	}
	for _, k := range m.estate.KeyStores { // one token after the other
		for _, p := range places {
			if p.key.Store != k.Address || !slices.ContainsFunc(wanted, p.named) {
				continue
			}
			m.add(Action{Kind: ProveKey, Address: p.address, ProveKey: &p.key})
			m.useSecret(k.Password)
		}
	}
}

// keyPlace is one place of the key that an authority signs with today.
type keyPlace struct {
	address spec.Address
	key     KeyAction
}

// named reports whether a drill of a name is one of this place.
func (p keyPlace) named(name string) bool {
	return name == DrillAll || name == p.address.String() || name == p.key.Store.String()
}

// keyPlaces lists where the keys are that sign today, in stores that the estate
// describes.
func (m *maker) keyPlaces() []keyPlace {
	var all []keyPlace
	for _, a := range m.state.Authorities() {
		g, known := a.At(a.Generation)
		if !known || a.Forgotten {
			continue
		}
		for _, key := range g.Places() {
			all = append(all, keyPlace{a.Address, key})
		}
	}
	return slices.DeleteFunc(all, func(p keyPlace) bool {
		return !slices.ContainsFunc(m.estate.KeyStores, func(k *spec.KeyStore) bool { return k.Address == p.key.Store })
	})
}

// noPlace says why a name has nothing to drill.
func (m *maker) noPlace(name string) string {
	if name == DrillAll {
		return "The ledger has no key in a key store that the estate describes. A drill is for keys that a ceremony made."
	}
	address, err := spec.ParseAddress(name)
	switch {
	case err != nil:
		return fmt.Sprintf("%q is no address. Name an authority, a key store, or %q for every key.", name, DrillAll)
	case address.Kind == "key_store":
		return fmt.Sprintf("No key that signs today is in %s, or the estate does not describe it. pki status and pki show %s say where keys are.", name, "ledger.jsonl")
	}
	return fmt.Sprintf("The ledger has no key of %s in a key store that the estate describes. Name an authority whose key a ceremony made, a key store, or %q.", name, DrillAll)
}
