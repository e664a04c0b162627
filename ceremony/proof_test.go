package ceremony_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pki.internal/ceremony"
	"pki.internal/ceremony/script"
	"pki.internal/plan"
	"pki.internal/spec"
)

// drillScene is a production estate whose root has two backups, held a year
// ago, with the plan of a restore drill of everything that the root has.
func drillScene(t testing.TB) (*scene, *plan.Plan) {
	t.Helper()
	s := withBackup(t, spec.CopyFile)
	formal := formalScene(t)
	s.estate.Environment, s.estate.Officers, s.answers = spec.Production, formal.estate.Officers, map[string][]string{}
	if err := s.run(s.makePlan(planTime), false); err != nil {
		t.Fatal(err)
	}
	s.now = planTime.AddDate(0, 6, 0)
	p, diags := plan.Make(s.estate, s.book().State(), plan.Inputs{
		At: s.now, Window: spec.Duration{Days: 7}, Seed: [32]byte{8}, Tool: s.tool, RestoreDrill: []string{"authority.root"},
	})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if got := actionKinds(p); !slices.Equal(got, []plan.Kind{plan.ProveKey, plan.ProveKey, plan.ProveKey}) {
		t.Fatalf("the drill has %v", got)
	}
	s.again()
	s.asked = nil
	return s, p
}

// held gives what the ledger says of the root's key in one store.
func (s *scene) held(store string) (plan.KeyDrill, bool) {
	a, _ := s.book().State().Authority(spec.Address{Kind: "authority", Name: "root"})
	g, _ := a.At(1)
	return g.Drilled(spec.Address{Kind: "key_store", Name: store})
}

func TestRestoreDrill(t *testing.T) {
	s, p := drillScene(t)
	before := s.book().State()
	if err := s.run(p, false); err != nil {
		t.Fatal(err)
	}
	for _, store := range []string{"root", "root_b", "root_c"} {
		if last, held := s.held(store); !held || last.Failed || !last.At.Equal(s.now) {
			t.Errorf("%s: held %t, %+v", store, held, last)
		}
	}
	after := s.book().State()
	if len(after.Files()) != len(before.Files()) || len(s.keys.made) != 2 {
		t.Error("the drill has made something")
	}
	if again := s.makePlan(s.now); slices.Contains(actionKinds(again), plan.ProveKey) {
		t.Error("the estate wants a drill by itself")
	}
	s.tamperProofs()
}

// tamperProofs changes what the ledger says of a proof, one thing at a time,
// and wants every reader to refuse it.
func (s *scene) tamperProofs() {
	s.t.Helper()
	book := s.book()
	for i, e := range book.Entries {
		if e.Fact.Proven == nil {
			continue
		}
		state := book.StateAt(i)
		for name, change := range map[string]func(*plan.KeyProven){
			"the signature":            func(k *plan.KeyProven) { k.Signature = flipped(k.Signature) },
			"no signature":             func(k *plan.KeyProven) { k.Signature = nil },
			"a failure that signed":    func(k *plan.KeyProven) { k.Failed = true },
			"the challenge":            func(k *plan.KeyProven) { k.Challenge = strings.Repeat("ab", 32) },
			"a short challenge":        func(k *plan.KeyProven) { k.Challenge = "ab" },
			"the place":                func(k *plan.KeyProven) { k.Key.Store.Name = "elsewhere" },
			"the action":               func(k *plan.KeyProven) { k.Action++ },
			"the authority":            func(k *plan.KeyProven) { k.Address.Name = "issuing" },
			"shares of nobody's set":   func(k *plan.KeyProven) { k.Shares = &plan.SharesUsed{Set: "00", Numbers: []int{1, 2}} },
			"the generation":           func(k *plan.KeyProven) { k.Key.Generation = 2 },
			"the copy's place moved":   func(k *plan.KeyProven) { k.Key.Location = "keys/other" },
			"the algorithm that signs": func(k *plan.KeyProven) { k.Key.Algorithm = "ed25519" },
		} {
			fact := *e.Fact
			changed := *fact.Proven
			change(&changed)
			fact.Proven = &changed
			if _, err := state.Apply(fact, plan.Head{}); err == nil {
				s.t.Errorf("%s was changed, and nobody noticed", name)
			}
		}
		if _, err := state.Apply(*e.Fact, plan.Head{}); err != nil {
			s.t.Error(err)
		}
	}
}

// TestRestoreDrillFails takes a backup away: people try again, find it or enter
// that it failed, stop, or give up.
func TestRestoreDrillFails(t *testing.T) {
	const decide = "Decision: continue, repeat, stop (to go on later) or abort (for good)?"
	for decision, want := range map[plan.Decision]struct {
		failed bool // entered as failed
		open   bool // to be gone on with
		facts  int  // proofs in the ledger
	}{
		plan.GoOn: {failed: true, facts: 3}, plan.Stop: {open: true, facts: 1}, plan.Abort: {facts: 1}, plan.Repeat: {failed: true, facts: 3},
	} {
		t.Run(string(decision), func(t *testing.T) {
			s, p := drillScene(t)
			place := p.Actions[1].ProveKey.Location
			lost := s.keys.keys[place]
			delete(s.keys.keys, place)
			s.answers[decide] = []string{string(decision), string(plan.GoOn)}
			err := s.run(p, false)
			if stopped := (&ceremony.StoppedError{}); (decision == plan.Stop || decision == plan.Abort) != errors.As(err, &stopped) {
				t.Fatal(err)
			}
			if got := len(s.facts(plan.KeyWasProven)); got != want.facts {
				t.Errorf("%d proofs in the ledger, want %d", got, want.facts)
			}
			if last, held := s.held("root_b"); held != want.failed || last.Failed != want.failed {
				t.Errorf("held %t, %+v", held, last)
			}
			if noted := s.facts(plan.ExceptionHappened); len(noted) == 0 || noted[0].Exception.Decision != decision || !strings.Contains(noted[0].Exception.Happened, "key_store.root_b") {
				t.Errorf("exceptions: %+v", noted)
			}
			if (s.book().State().Open != nil) != want.open {
				t.Errorf("open %+v", s.book().State().Open)
			}
			if decision != plan.Stop {
				return
			}
			s.keys.keys[place] = lost // found the next day
			if err := s.run(p, true); err != nil {
				t.Fatal(err)
			}
			if last, held := s.held("root_b"); !held || last.Failed {
				t.Errorf("after it was found: held %t, %+v", held, last)
			}
		})
	}
}

// TestRestoreDrillOfAnotherKey has a backup sign with another key.
func TestRestoreDrillOfAnotherKey(t *testing.T) {
	s, p := drillScene(t)
	s.keys.wrong = true
	s.answers["Decision: continue, repeat, stop (to go on later) or abort (for good)?"] = []string{"continue", "continue", "continue"}
	if err := s.run(p, false); err != nil {
		t.Fatal(err)
	}
	for _, store := range []string{"root", "root_b", "root_c"} {
		if last, held := s.held(store); !held || !last.Failed {
			t.Errorf("%s: held %t, %+v, and it signs with another key", store, held, last)
		}
	}
}

func TestPowerCutInARestoreDrill(t *testing.T) {
	probe, p := drillScene(t)
	if err := probe.run(p, false); err != nil {
		t.Fatal(err)
	}
	for at, name := range probe.effects {
		if name == "signature" { // one that fails is a fault of the key; dying there is dying before the entry
			continue
		}
		t.Run(fmt.Sprintf("%02d %s", at+1, name), func(t *testing.T) {
			t.Parallel()
			s, p := drillScene(t)
			s.cutAt, s.after = at+1, at%2 == 0
			err := s.run(p, false)
			s.again()
			finished := s.book().State().Open == nil && len(s.facts(plan.CeremonyFinished)) == 2
			if err == nil && !finished {
				t.Fatal("a power cut went unseen")
			}
			if !finished {
				if err := s.run(p, s.book().State().Open != nil); err != nil {
					t.Fatalf("going on: %v", err)
				}
			}
			for _, store := range []string{"root", "root_b", "root_c"} {
				if _, held := s.held(store); !held {
					t.Errorf("%s was not drilled", store)
				}
			}
		})
	}
}

// TestScriptOfARestoreDrill wants the decision before custodians come and places
// open, so that the record has what goes wrong with them.
func TestScriptOfARestoreDrill(t *testing.T) {
	_, p := drillScene(t)
	written, err := script.Of(p)
	if err != nil {
		t.Fatal(err)
	}
	if written.Variant != "Restore drill" || written.Final != 0 {
		t.Errorf("it is a %s with its point of no return at step %d", written.Variant, written.Final)
	}
	order := func(does script.Deed) int {
		return slices.IndexFunc(written.Steps, func(s script.Step) bool { return s.Does == does })
	}
	if decide, secret, act := order(script.Go), order(script.Secret), order(script.Act); !(decide < secret && secret < act) || order(script.KeyStore) >= 0 {
		t.Errorf("decided at %d, secret at %d, act at %d, opened at %d", decide, secret, act, order(script.KeyStore))
	}
	for _, s := range written.Steps {
		if s.Irreversible {
			t.Errorf("step %d, %s, cannot be undone", s.Number, s.Title)
		}
	}
}
