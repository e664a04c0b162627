package ceremony_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pki.internal/hsm"
	"pki.internal/plan"
	"pki.internal/spec"
)

// CanCopy says whether the store finds a way.
func (m *memoryStore) CanCopy(context.Context, spec.Algorithm, hsm.Store) (hsm.Way, error) {
	if m.noWay {
		return hsm.Way{}, hsm.ErrUnsupported
	}
	return hsm.Way{Carrier: "hand", Wrap: "paper", Format: "flat"}, nil
}

// Copy notes a key under a second name, or another key when it lies.
func (m *memoryStore) Copy(_ context.Context, c hsm.Copying) (hsm.Copied, error) {
	if there := m.keys[c.At.Location]; there != nil {
		if !c.Resumed {
			return hsm.Copied{}, hsm.ErrExists
		}
		return hsm.Copied{Key: memoryKey{there, m}, Adopted: true}, nil
	}
	key := m.keys[c.Key.Location]
	err := m.scene.effect("copy "+c.At.Location, func() (err error) {
		if m.wrongCopy {
			key, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
		}
		m.keys[c.At.Location] = key
		return err
	})
	return hsm.Copied{Key: memoryKey{key, m}}, err
}

// Seal notes that a key is sealed.
func (m *memoryStore) Seal(_ context.Context, k hsm.KeySpec, _ []byte) ([]hsm.Evidence, error) {
	return nil, m.scene.effect("seal "+k.Location, func() error { m.sealed = append(m.sealed, k.Location); return nil })
}

// withBackup gives a scene whose root has a backup in two other key stores.
func withBackup(t testing.TB, policy string) *scene {
	s := newScene(t, "two-tier")
	for _, a := range s.estate.Authorities {
		if a.IsRoot() {
			for _, name := range []string{"b", "c"} {
				store := *a.Key.Store
				store.Address.Name, store.Path = "root_"+name, "keys/"+name
				s.estate.KeyStores = append(s.estate.KeyStores, &store)
				a.Key.Backup = append(a.Key.Backup, &store)
			}
			a.Key.BackupPolicy = policy
		}
	}
	return s
}

func actionKinds(p *plan.Plan) []plan.Kind {
	var all []plan.Kind
	for _, a := range p.Actions {
		all = append(all, a.Kind)
	}
	return all
}

func TestBackup(t *testing.T) {
	for policy, want := range map[string][]plan.Kind{
		spec.WrapThenSeal: {plan.GenerateKey, plan.BackUpKey, plan.BackUpKey, plan.SealKey, plan.SignCertificate},
		spec.CopyFile:     {plan.GenerateKey, plan.BackUpKey, plan.BackUpKey, plan.SignCertificate, plan.GenerateKey},
	} {
		t.Run(policy, func(t *testing.T) {
			s := withBackup(t, policy)
			p := s.makePlan(planTime)
			if got := actionKinds(p)[:5]; !slices.Equal(got, want) {
				t.Fatalf("actions %v, want %v", got, want)
			}
			if err := s.run(p, false); err != nil {
				t.Fatal(err)
			}
			s.wholeEnd(p)
			have, _ := s.book().State().Authority(p.Actions[0].Address)
			g, _ := have.At(1)
			if len(g.Backups) != 2 || g.Sealed != (policy == spec.WrapThenSeal) || len(s.keys.sealed) != map[bool]int{true: 1, false: 0}[g.Sealed] {
				t.Errorf("%d backups, sealed %t %v", len(g.Backups), g.Sealed, s.keys.sealed)
			}
			if again := s.makePlan(s.now); len(again.Actions) > 0 {
				t.Errorf("the next plan has %v", actionKinds(again))
			}
			s.tamper(p)
		})
	}
}

// tamper changes what the ledger says of a backup, one thing at a time, and
// wants every reader to refuse it.
func (s *scene) tamper(p *plan.Plan) {
	s.t.Helper()
	book := s.book()
	for i, e := range book.Entries {
		if e.Fact.BackedUp == nil {
			continue
		}
		state := book.StateAt(i)
		if _, err := state.Apply(*e.Fact, plan.Head{}); err != nil {
			s.t.Fatal(err)
		}
		for name, change := range map[string]func(*plan.KeyBackedUp){
			"the original's signature": func(k *plan.KeyBackedUp) { k.ByOriginal = flipped(k.ByOriginal) },
			"the copy's signature":     func(k *plan.KeyBackedUp) { k.ByCopy = flipped(k.ByCopy) },
			"no signature":             func(k *plan.KeyBackedUp) { k.ByCopy = nil },
			"the challenge":            func(k *plan.KeyBackedUp) { k.Challenge = strings.Repeat("ab", 32) },
			"a short challenge":        func(k *plan.KeyBackedUp) { k.Challenge = "ab" },
			"the place":                func(k *plan.KeyBackedUp) { k.BackUp.Key.Store.Name = "elsewhere" },
			"the source":               func(k *plan.KeyBackedUp) { k.BackUp.From.Name = "elsewhere" },
			"the action":               func(k *plan.KeyBackedUp) { k.Action++ },
			"the authority":            func(k *plan.KeyBackedUp) { k.Address.Name = "issuing" },
		} {
			fact := *e.Fact
			changed := *fact.BackedUp
			change(&changed)
			fact.BackedUp = &changed
			if _, err := state.Apply(fact, plan.Head{}); err == nil {
				s.t.Errorf("%s was changed, and nobody noticed", name)
			}
		}
		if _, err := state.Apply(*e.Fact, plan.Head{}); err != nil {
			s.t.Error(err)
		}
	}
}

func flipped(b []byte) []byte {
	b = slices.Clone(b)
	b[len(b)-1] ^= 1
	return b
}

// TestOpenKeySignsNothing holds a certificate back until the key is sealed.
func TestOpenKeySignsNothing(t *testing.T) {
	s := withBackup(t, spec.WrapThenSeal)
	p := s.makePlan(planTime)
	if err := s.run(p, false); err != nil {
		t.Fatal(err)
	}
	book := s.book()
	for i, e := range book.Entries {
		if e.Fact.KeySealed == nil {
			continue
		}
		before, after := book.StateAt(i), book.StateAt(i+1)
		if _, err := before.CertificateTBS(p.Actions[4].SignCertificate); err == nil || !strings.Contains(err.Error(), "can still leave its token") {
			t.Errorf("before it is sealed: %v", err)
		}
		if _, err := after.CertificateTBS(p.Actions[4].SignCertificate); err != nil {
			t.Error(err)
		}
		again := *e.Fact
		if _, err := after.Apply(again, plan.Head{}); err == nil {
			t.Error("a key was sealed twice")
		}
		return
	}
	t.Error("nothing was sealed")
}

// TestPowerCutAroundBackup cuts the power around every effect of a ceremony that
// makes two backups, until the key is sealed; TestPowerCutAnywhere has the rest.
func TestPowerCutAroundBackup(t *testing.T) {
	probe := withBackup(t, spec.WrapThenSeal)
	if err := probe.run(probe.makePlan(planTime), false); err != nil {
		t.Fatal(err)
	}
	last := slices.Index(probe.effects, "entry key_sealed")
	if last < 10 {
		t.Fatalf("only %d effects: %q", last, probe.effects)
	}
	for at, name := range probe.effects[2 : last+1] {
		at += 3 // effects count from 1
		after := at%2 == 0 || strings.HasPrefix(name, "copy") || strings.HasPrefix(name, "seal")
		t.Run(fmt.Sprintf("%02d after=%v %s", at, after, name), func(t *testing.T) {
			t.Parallel()
			s := withBackup(t, spec.WrapThenSeal)
			p := s.makePlan(planTime)
			s.cutAt, s.after = at, after
			if err := s.run(p, false); !errors.Is(err, errCut) {
				t.Fatalf("got %v, want the power cut", err)
			}
			s.again()
			if err := s.run(p, true); err != nil {
				t.Fatalf("going on: %v", err)
			}
			s.wholeEnd(p)
			have, _ := s.book().State().Authority(p.Actions[0].Address)
			if g, _ := have.At(1); len(g.Backups) != 2 || !g.Sealed {
				t.Errorf("%d backups, sealed %t", len(g.Backups), g.Sealed)
			}
		})
	}
}

// TestCopyThatIsNotTheKey wants a copy that signs with another key to be found
// before it is entered.
func TestCopyThatIsNotTheKey(t *testing.T) {
	s := withBackup(t, spec.WrapThenSeal)
	s.keys.wrongCopy = true
	err := s.run(s.makePlan(planTime), false)
	if err == nil || !strings.Contains(err.Error(), "the copy: its signature over the challenge") {
		t.Fatal(err)
	}
	if open := s.book().State().Open; open == nil || open.Done != 1 {
		t.Errorf("open %+v, want one action done", open)
	}
}

// TestNoWayForABackup wants nothing to be made when a key could not be copied.
func TestNoWayForABackup(t *testing.T) {
	s := withBackup(t, spec.WrapThenSeal)
	s.keys.noWay = true
	if err := s.run(s.makePlan(planTime), false); !errors.Is(err, hsm.ErrUnsupported) {
		t.Fatal(err)
	}
	if len(s.keys.made)+len(s.book().Entries) > 0 {
		t.Errorf("%v was made, and the ledger has %d entries", s.keys.made, len(s.book().Entries))
	}
}

// TestVendorClone stops until the vendor's tool has made the copies. A backup
// may come later, too, in a ceremony of its own.
func TestVendorClone(t *testing.T) {
	s := withBackup(t, spec.VendorClone)
	p := s.makePlan(planTime)
	original := p.Actions[0].GenerateKey.Location
	for _, a := range p.Actions[1:3] {
		err := s.run(p, s.book().State().Open != nil)
		if !errors.Is(err, hsm.ErrNotFound) || !strings.Contains(err.Error(), "clone it from "+a.BackUpKey.From.String()+" with the vendor's tool") {
			t.Fatal(err)
		}
		s.keys.keys[a.BackUpKey.Key.Location] = s.keys.keys[original]
	}
	if err := s.run(p, true); err != nil {
		t.Fatal(err)
	}
	s.wholeEnd(p)
	for _, a := range s.estate.Authorities {
		if a.IsRoot() {
			third := *a.Key.Store
			third.Address.Name, third.Path = "root_d", "keys/d"
			s.estate.KeyStores = append(s.estate.KeyStores, &third)
			a.Key.Backup, a.Key.BackupPolicy = append(a.Key.Backup, &third), spec.CopyFile
		}
	}
	later := s.makePlan(s.now)
	if got := actionKinds(later); !slices.Equal(got, []plan.Kind{plan.BackUpKey}) {
		t.Fatalf("a third backup: %v", got)
	}
	if err := s.run(later, false); err != nil {
		t.Fatal(err)
	}
}

// TestBackupTakesThePlace signs in the store of a backup when the estate names
// that one.
func TestBackupTakesThePlace(t *testing.T) {
	s := withBackup(t, spec.WrapThenSeal)
	first := s.makePlan(planTime)
	if err := s.run(first, false); err != nil {
		t.Fatal(err)
	}
	delete(s.keys.keys, first.Actions[0].GenerateKey.Location)
	for _, a := range s.estate.Authorities {
		if a.IsRoot() {
			a.Key.Store, a.Key.Backup = a.Key.Backup[0], nil
			a.Key.BackupPolicy = ""
		}
	}
	s.now = planTime.AddDate(0, 11, 20)
	p := s.makePlan(s.now)
	if got := actionKinds(p); !slices.Equal(got, []plan.Kind{plan.SignCRL, plan.SignCRL}) && !slices.Equal(got, []plan.Kind{plan.SignCRL}) {
		t.Fatalf("actions %v", got)
	}
	if err := s.run(p, false); err != nil {
		t.Fatal(err)
	}
}
