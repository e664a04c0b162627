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

// BackUpAction puts a copy of a key into another store. Its address is the
// authority's.
type BackUpAction struct {
	Policy string       `json:"policy"` // spec.WrapThenSeal, VendorClone or CopyFile
	From   spec.Address `json:"from"`   // key store of the original
	Key    KeyAction    `json:"key"`    // the copy: same id, label and algorithm, another store
}

// KeyBackedUp says that a copy of a key exists, and proves it: both made a
// signature over one challenge, and every reader of the ledger verifies both.
type KeyBackedUp struct {
	Action     int          `json:"action"`
	Address    spec.Address `json:"address"`
	BackUp     BackUpAction `json:"back_up"`
	Way        *BackupWay   `json:"way,omitempty"`     // of a key that was wrapped
	Adopted    bool         `json:"adopted,omitempty"` // was there from before an interruption
	Challenge  string       `json:"challenge"`         // 32 random bytes, hex
	ByOriginal []byte       `json:"by_original"`       // signature over Statement
	ByCopy     []byte       `json:"by_copy"`
	Evidence   []Evidence   `json:"evidence,omitempty"` // of the copy
}

// BackupWay says how a key went from one token to the other. It was found by
// trying it with a throw-away key.
type BackupWay struct {
	Carrier string `json:"carrier"` // what brought the wrapping key across
	Wrap    string `json:"wrap"`    // mechanism that the key was wrapped with
	Format  string `json:"format"`  // that the mechanism was seen to give
}

// KeySealed says that a key, of which there are copies now, never leaves its
// token again.
type KeySealed struct {
	Action     int          `json:"action"`
	Address    spec.Address `json:"address"`
	Generation int          `json:"generation"`
	Evidence   []Evidence   `json:"evidence,omitempty"`
}

// Backup is a copy of a key that a ceremony proved.
type Backup struct {
	Key    KeyAction
	Policy string
	Proven time.Time
}

// Statement gives what original and copy sign. It names the key and both
// places, and is the beginning of no certificate or CRL: those begin with the
// tag of a SEQUENCE.
func (b BackUpAction) Statement(address spec.Address, challenge string) []byte {
	return fmt.Appendf(nil, "pki backup v1|%s|%d|%s|%s|%s|%s", address, b.Key.Generation, b.Key.KeyID, b.From, b.Key.Store, challenge)
}

// Following lists the actions of the same address right after one: among them
// are the copies of a key that it makes.
func (p *Plan) Following(a Action) []Action {
	end := a.Number
	for end < len(p.Actions) && p.Actions[end].Address == a.Address {
		end++
	}
	return p.Actions[a.Number:end]
}

// In gives the place of a generation's key in one store: where it was made, or
// a backup.
func (g Generation) In(store spec.Address) (KeyAction, bool) {
	if g.Key == nil {
		return KeyAction{}, false
	}
	if g.Key.Key.Store == store {
		return g.Key.Key, true
	}
	for _, b := range g.Backups {
		if b.Key.Store == store {
			return b.Key, true
		}
	}
	return KeyAction{}, false
}

// Place gives where a generation's key is used: in the store that the estate
// names when there is one of its copies, else where it was made.
func (g Generation) Place(a *spec.Authority) KeyAction {
	if a != nil && a.Key != nil && a.Key.Store != nil {
		if there, is := g.In(a.Key.Store.Address); is {
			return there
		}
	}
	if g.Key == nil {
		return KeyAction{}
	}
	return g.Key.Key
}

// open reports whether the generation's key may still leave its token.
func (g Generation) open() bool { return g.Key != nil && g.Key.Key.Extractable && !g.Sealed }

func (s *State) backUp(e *KeyBackedUp, at time.Time) error {
	action, err := s.expect(e.Action, BackUpKey, e.Address)
	if err != nil {
		return err
	}
	if *action.BackUpKey != e.BackUp {
		return errors.New("it backs up another key, or elsewhere, than the plan says")
	}
	a, _ := s.Authority(e.Address)
	g, known := a.At(e.BackUp.Key.Generation)
	if _, there := g.In(e.BackUp.From); !known || !there {
		return errors.New("it backs up a key that is not where the plan says")
	}
	if _, taken := g.In(e.BackUp.Key.Store); taken {
		return fmt.Errorf("there is a copy in %s already", e.BackUp.Key.Store)
	}
	if raw, err := hex.DecodeString(e.Challenge); err != nil || len(raw) != 32 || hex.EncodeToString(raw) != e.Challenge {
		return errors.New("its challenge is not 32 bytes in hex")
	}
	verifies, _ := s.Verifying(g.spki)
	for name, signature := range map[string][]byte{"the key": e.ByOriginal, "the copy": e.ByCopy} {
		if err := tbs.Verify(e.BackUp.Key.Algorithm, verifies, e.BackUp.Statement(e.Address, e.Challenge), signature); err != nil {
			return fmt.Errorf("the signature of %s over its challenge: %w", name, err)
		}
	}
	g.Backups = append(slices.Clone(g.Backups), Backup{Key: e.BackUp.Key, Policy: e.BackUp.Policy, Proven: at})
	s.put(a.with(g))
	s.Open.Done++
	return nil
}

func (s *State) seal(e *KeySealed) error {
	action, err := s.expect(e.Action, SealKey, e.Address)
	if err != nil {
		return err
	}
	a, _ := s.Authority(e.Address)
	g, known := a.At(e.Generation)
	if !known || !g.open() || g.Key.Key != *action.SealKey {
		return errors.New("it seals a key that is not open, or not the one that the plan says")
	}
	g.Sealed = true
	s.put(a.with(g))
	s.Open.Done++
	return nil
}

// backUpNew plans the copies of a key that the same ceremony makes, right
// after it is made: nothing is signed by a key that can still leave.
func (m *maker) backUpNew(a *spec.Authority, key KeyAction) {
	for _, store := range a.Key.Backup {
		m.backUpTo(a, key, store)
	}
	if key.Extractable {
		m.add(Action{Kind: SealKey, Address: a.Address, Irreversible: true, SealKey: &key})
	}
}

func (m *maker) backUpTo(a *spec.Authority, key KeyAction, store *spec.KeyStore) {
	if n := store.IDBytes(); n > 0 && uint(len(key.KeyID)) > 2*n {
		m.diags.Report(a.Key.Origin, "backup", "Key id too long for the token",
			"%s says that the token %q keeps %d bytes of a key's id, and the key of %s has one of %d. Name another token for the backup.",
			store.Token.CapabilitiesFile, store.Token.Capabilities.Token.Label, n, a.Address, len(key.KeyID)/2)
		return
	}
	at := key
	at.Extractable = false
	at.Store, at.Location = store.Address, m.location(store, key.KeyID, key.Label)
	m.add(Action{
		Kind: BackUpKey, Address: a.Address, Irreversible: true,
		BackUpKey: &BackUpAction{Policy: a.Key.Policy(), From: key.Store, Key: at},
	})
	m.useSecret(store.Password)
}

// location gives the place of a key in a store.
func (m *maker) location(store *spec.KeyStore, id, label string) string {
	if store.Token == nil {
		return store.Path + "/" + label + ".key"
	}
	raw, err := hex.DecodeString(id)
	if err != nil {
		m.say("Key id is not hexadecimal", "%s. Run pki verify.", err)
	}
	token := *store.Token
	token.Serial = "" // anybody may read where a key is; the key store says on which device
	return token.KeyURI(raw, label)
}

// backUpKept plans the copies that the estate wants of a key that exists.
func (m *maker) backUpKept(a *spec.Authority, g Generation) {
	if a.Key == nil || g.Key == nil || a.KeyGeneration() != g.Number {
		return
	}
	for _, store := range a.Key.Backup {
		if _, there := g.In(store.Address); there {
			continue
		}
		if a.Key.Policy() == spec.WrapThenSeal {
			m.diags.Report(a.Key.Origin, "backup", "Key that cannot be backed up any more",
				"The key of %s never leaves its token: that is decided when it is made. Restore the old value, copy it with the vendor's tool and write backup_policy = \"vendor-clone\", or write generation = %d for a new key with a backup.",
				Label(a.Address, g.Number), g.Number+1)
			return
		}
		m.initializeToken(store)
		m.backUpTo(a, g.Place(a), store)
		m.useStore(a, &material{ref: KeyRef{Generation: g.Number}}, g)
	}
}

// sameKeyElsewhere drops the difference that is none: the estate names a store
// that has a backup of the very key.
func sameKeyElsewhere(found []Difference, a *spec.Authority, g Generation) []Difference {
	if a.Key == nil {
		return found
	}
	there, is := g.In(a.Key.Store.Address)
	return slices.DeleteFunc(found, func(d Difference) bool { return d.Name == "key" && is && there.Algorithm == a.Key.Algorithm })
}
