package ceremony_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pki.internal/ceremony"
	"pki.internal/plan"
	"pki.internal/shamir"
	"pki.internal/spec"
)

// people are custodians who keep their shares as words, by set and name.
type people struct {
	scene  *scene
	kept   map[shamir.SetID]map[string]*shamir.Share
	absent []string
	asked  []string                                                // who gave a share back, in order
	mangle func(set *shamir.Scheme, s *shamir.Share) *shamir.Share // what comes back instead
	throws string
}

func (p *people) Throws(context.Context, plan.Action) ([]byte, error) { return []byte(p.throws), nil }

// copied takes a share over as a person does, by its words.
func copied(s *shamir.Share) *shamir.Share {
	r, err := shamir.Read(s.Text())
	if err != nil {
		panic(err)
	}
	return r.Share
}

func (p *people) HandOut(_ context.Context, scheme *shamir.Scheme, s *shamir.Share, to plan.Holder) (h ceremony.Handed, err error) {
	err = p.scene.effect("share "+to.Name, func() error {
		id := scheme.Top.ID()
		if p.kept[id] == nil {
			p.kept[id] = map[string]*shamir.Share{}
		}
		p.kept[id][to.Name] = copied(s)
		return nil
	})
	back := copied(s)
	if p.mangle != nil {
		back = p.mangle(scheme, s)
	}
	return ceremony.Handed{Share: back, How: plan.HandedScreen, ReadBack: "words"}, err
}

func (p *people) Gather(_ context.Context, _ spec.Address, scheme *shamir.Scheme, holders []plan.Holder) ([]*shamir.Share, error) {
	var shares []*shamir.Share
	for _, h := range slices.Backward(holders) {
		if kept := p.kept[scheme.Top.ID()][h.Name]; kept != nil && !slices.Contains(p.absent, h.Name) && !scheme.Enough(shares) {
			shares, p.asked = append(shares, copied(kept)), append(p.asked, h.Name)
		}
	}
	return shares, nil
}

var (
	rootSecret = spec.Address{Kind: "secret", Name: "root"}
	rootStore  = spec.Address{Kind: "key_store", Name: "root"}
)

// TestSharesBeforeKeys holds the ceremony of an estate with custodians: the
// set is in the ledger before any key, its shares give what the root's key is
// locked with, and the next ceremony asks just enough people.
func TestSharesBeforeKeys(t *testing.T) {
	s := newScene(t, "custodians")
	p := s.makePlan(planTime)
	if err := s.run(p, false); err != nil {
		t.Fatal(err)
	}
	s.wholeEnd(p)
	if k := slices.IndexFunc(s.effects, func(e string) bool { return strings.HasPrefix(e, "key ") }); k < 0 || !slices.Contains(s.effects[:k], "entry shares_established") {
		t.Errorf("a key comes before the shares: %q", s.effects)
	}
	have, known := s.book().State().ShareSet(rootSecret)
	if !known {
		t.Fatal("the ledger has no set")
	}
	secret, err := ceremony.Rebuild(context.Background(), s.people, have)
	if err != nil || len(secret) != spec.DefaultSecret || s.offered[rootStore] != string(secret) {
		t.Fatalf("the shares give %d bytes, and the store was opened with %d, %v", len(secret), len(s.offered[rootStore]), err)
	}
	for _, e := range s.book().Entries {
		text, err := plan.Canonical(e.Fact)
		if err != nil || bytes.Contains(text, secret) {
			t.Fatalf("entry %d holds the secret (%v)", e.Number, err)
		}
		if e.Fact.Audience == plan.Public && bytes.Contains(text, []byte("alice")) {
			t.Errorf("entry %d names a custodian to everyone", e.Number)
		}
	}
	s.people.asked, s.offered = nil, map[spec.Address]string{}
	s.now = planTime.Add(340 * 24 * time.Hour)
	next := s.makePlan(s.now)
	s.people.absent = []string{"alice", "dave"}
	if err := s.run(next, false); err != nil {
		t.Fatal(err)
	}
	if want := []string{"erin", "carol", "bob"}; !slices.Equal(s.people.asked, want) || s.offered[rootStore] != string(secret) {
		t.Errorf("asked %q, want %q; the store was opened with the secret: %v", s.people.asked, want, s.offered[rootStore] == string(secret))
	}
	s.now = s.now.Add(340 * 24 * time.Hour)
	late := s.makePlan(s.now)
	s.people.absent = []string{"alice", "bob", "carol"}
	wantRefusal(t, s.run(late, false), "2 of the 3 shares that are needed are here")
}

// TestGroupsInACeremony shares the root's password among groups, holds a second
// ceremony with just enough of them, replaces a person, and drills nobody.
func TestGroupsInACeremony(t *testing.T) {
	s := newScene(t, "custodians")
	c := s.estate.Custodians[0]
	c.Threshold, c.Groups = 2, []spec.CustodianGroup{{Name: "berlin", Threshold: 2, Count: 2}, {Name: "lisbon", Threshold: 2, Count: 3}}
	for i := range c.Holders {
		c.Holders[i].Site, c.Holders[i].Group = "", c.Groups[min(i/2, 1)].Name
	}
	if err := s.run(s.makePlan(planTime), false); err != nil {
		t.Fatal(err)
	}
	have, _ := s.book().State().ShareSet(rootSecret)
	secret, err := ceremony.Rebuild(context.Background(), s.people, have)
	if err != nil || string(secret) != s.offered[rootStore] || len(have.Groups) != 2 || have.Shares.Groups != "2/2 2/3" {
		t.Fatalf("%q: %v", have.Shares.Groups, err)
	}
	c.Holders[4].Name = "frank"
	s.now = s.now.Add(time.Hour)
	p := s.makePlan(s.now)
	if len(p.Actions) != 1 || p.Actions[0].Kind != plan.ReshareSecret {
		t.Fatalf("%d actions", len(p.Actions))
	}
	s.people.absent, s.people.asked = []string{"erin"}, nil
	if err := s.run(p, false); err != nil {
		t.Fatal(err)
	}
	if want := []string{"dave", "carol", "bob", "alice"}; !slices.Equal(s.people.asked, want) {
		t.Errorf("asked %q, want %q", s.people.asked, want)
	}
	have, _ = s.book().State().ShareSet(rootSecret)
	if again, err := ceremony.Rebuild(context.Background(), s.people, have); err != nil || string(again) != string(secret) {
		t.Errorf("the new shares give something else: %v", err)
	}
	s.people.absent = []string{"bob"} // without Berlin there is nothing
	if again, err := ceremony.Rebuild(context.Background(), s.people, have); err == nil {
		t.Errorf("one group gave %d bytes", len(again))
	}
}

// TestPowerCutAroundShares cuts the power before and after every effect of a
// ceremony with custodians. Before the entry of the shares going on hands out
// another set; after it the people are asked.
func TestPowerCutAroundShares(t *testing.T) {
	probe := newScene(t, "custodians")
	if err := probe.run(probe.makePlan(planTime), false); err != nil {
		t.Fatal(err)
	}
	entry := slices.Index(probe.effects, "entry shares_established") + 1
	if entry < 6 {
		t.Fatalf("the shares are entered at effect %d: %q", entry, probe.effects)
	}
	for at := 1; at <= len(probe.effects); at++ {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("%02d after=%v %s", at, after, probe.effects[at-1]), func(t *testing.T) {
				t.Parallel()
				s := newScene(t, "custodians")
				p := s.makePlan(planTime)
				s.cutAt, s.after = at, after
				if err := s.run(p, false); !errors.Is(err, errCut) {
					t.Fatalf("got %v, want the power cut", err)
				}
				s.again()
				s.people.asked = nil
				if err := s.run(p, true); err != nil {
					t.Fatalf("going on: %v", err)
				}
				s.wholeEnd(p)
				held := after && at == len(probe.effects) // nothing is left to ask for
				recorded := (at > entry || (at == entry && after)) && !held
				if asked := len(s.people.asked) > 0; asked != recorded {
					t.Errorf("people were asked for shares: %v, want %v", asked, recorded)
				}
				have, _ := s.book().State().ShareSet(rootSecret)
				secret, err := ceremony.Rebuild(context.Background(), s.people, have)
				if err != nil || s.offered[rootStore] != string(secret) {
					t.Errorf("the store was not opened with what the shares of the ledger give (%v)", err)
				}
				if sets := s.book().State().ShareSets(); len(sets) != 1 {
					t.Errorf("the ledger has %d sets", len(sets))
				}
			})
		}
	}
}

// TestNothingIsLockedBeforeAllIsProven has one holder bring back something
// else, and expects that nothing is entered and no key made.
func TestNothingIsLockedBeforeAllIsProven(t *testing.T) {
	other, foreign, err := shamir.Split(bytes.NewReader(bytes.Repeat([]byte{7}, 1000)), []byte("another secret of another set"),
		shamir.Policy{Threshold: 3, Holders: []string{"alice", "bob", "carol", "dave", "erin"}, Purpose: "acme/root"})
	if err != nil || other == nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		says   string
		mangle func(set *shamir.Scheme, s *shamir.Share) *shamir.Share
	}{
		"a share of another set":                {"it belongs to set", func(*shamir.Scheme, *shamir.Share) *shamir.Share { return copied(foreign[4]) }},
		"the share that was handed out, unread": {"is not the share that was handed out", func(_ *shamir.Scheme, s *shamir.Share) *shamir.Share { return s }},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, "custodians")
			p := s.makePlan(planTime)
			s.people.mangle = func(set *shamir.Scheme, share *shamir.Share) *shamir.Share {
				if share.Index < 5 {
					return copied(share)
				}
				return c.mangle(set, share)
			}
			wantRefusal(t, s.run(p, false), c.says)
			if state := s.book().State(); len(state.ShareSets()) != 0 || len(s.keys.made) != 0 || len(s.files) != 0 {
				t.Errorf("%d sets, keys %q, %d files", len(state.ShareSets()), s.keys.made, len(s.files))
			}
			s.people.mangle = nil
			s.again()
			if err := s.run(p, true); err != nil {
				t.Fatal(err)
			}
			s.wholeEnd(p)
		})
	}
	t.Run("one holder proves another's share", func(t *testing.T) {
		s := newScene(t, "custodians")
		var first *shamir.Share
		s.people.mangle = func(_ *shamir.Scheme, share *shamir.Share) *shamir.Share {
			if first == nil {
				first = copied(share)
			}
			if share.Index == 2 {
				return copied(first)
			}
			return copied(share)
		}
		wantRefusal(t, s.run(s.makePlan(planTime), false), "bob proved share 1 (alice) in place of share 2")
		if len(s.keys.made) != 0 || len(s.book().State().ShareSets()) != 0 {
			t.Error("something was made")
		}
	})
}

// TestReshare replaces one custodian in a ceremony, with the power cut around
// every effect: the old set is in force until the new one is entered.
func TestReshare(t *testing.T) {
	prepare := func(t *testing.T) (*scene, *plan.Plan, string) {
		s := newScene(t, "custodians")
		if err := s.run(s.makePlan(planTime), false); err != nil {
			t.Fatal(err)
		}
		secret := s.offered[rootStore]
		s.again()
		s.estate.Custodians[0].Holders[4].Name = "frank"
		s.now = s.now.Add(time.Hour)
		p := s.makePlan(s.now)
		if len(p.Actions) != 1 || p.Actions[0].Kind != plan.ReshareSecret {
			t.Fatalf("the plan has %d actions, the first %s", len(p.Actions), p.Actions[0].Kind)
		}
		s.people.absent = []string{"erin", "frank"}
		return s, p, secret
	}
	probe, p, _ := prepare(t)
	if err := probe.run(p, false); err != nil {
		t.Fatal(err)
	}
	for at := 1; at <= len(probe.effects); at++ {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("%02d after=%v %s", at, after, probe.effects[at-1]), func(t *testing.T) {
				s, p, secret := prepare(t)
				s.cutAt, s.after = at, after
				if err := s.run(p, false); !errors.Is(err, errCut) {
					t.Fatalf("got %v, want the power cut", err)
				}
				for range 2 {
					have, known := s.book().State().ShareSet(rootSecret)
					if back, err := ceremony.Rebuild(context.Background(), s.people, have); !known || err != nil || string(back) != secret {
						t.Fatalf("the set in force gives something else (%v)", err)
					}
					s.again()
					if s.book().State().Open == nil && s.book().State().LastPlan != "" && len(s.book().State().ShareSets()) == 2 {
						break
					}
					if err := s.run(p, s.book().State().Open != nil); err != nil {
						t.Fatalf("going on: %v", err)
					}
				}
				sets := s.book().State().ShareSets()
				if len(sets) != 2 || sets[0].Retired.IsZero() || sets[0].ReplacedBy != sets[1].Set || !sets[1].Retired.IsZero() {
					t.Fatalf("the sets are %+v", sets)
				}
				if back, err := ceremony.Rebuild(context.Background(), s.people, sets[0]); err != nil || string(back) != secret {
					t.Errorf("the old shares no longer give the secret: %v", err)
				}
				if again := s.makePlan(s.now.Add(time.Hour)); len(again.Actions) != 0 {
					t.Errorf("there are still %d actions to do", len(again.Actions))
				}
			})
		}
	}
}

// TestDiceAreMixedIn runs two ceremonies with the same machine randomness.
func TestDiceAreMixedIn(t *testing.T) {
	made := map[string]bool{}
	for _, throws := range []string{"316245", "316246"} {
		s := newScene(t, "custodians")
		s.estate.Secrets[0].Dice, s.people.throws = true, throws
		s.rand = bytes.NewReader(bytes.Repeat([]byte{9}, 4096))
		p := s.makePlan(planTime)
		if !p.Actions[0].EstablishShares.Dice {
			t.Fatal("the plan does not speak of dice")
		}
		if err := s.run(p, false); err != nil {
			t.Fatal(err)
		}
		made[s.offered[rootStore]] = true
	}
	if len(made) != 2 {
		t.Error("other throws gave the same secret")
	}
}

// TestLimitsOfShares holds the estate's limits against the format's.
func TestLimitsOfShares(t *testing.T) {
	if spec.MinShareThreshold != shamir.MinThreshold || spec.MaxShareHolders != shamir.MaxShares || spec.MinSecretLength != shamir.MinGenerated || spec.MaxSecretLength != shamir.MaxSecret {
		t.Error("package spec has other limits than the format of shares")
	}
	for length := spec.MinSecretLength; length <= spec.MaxSecretLength; length++ {
		if spec.SecretBits(length) != shamir.Entropy(length) || spec.SecretBits(length) < 128 {
			t.Errorf("%d characters: %d bits", length, spec.SecretBits(length))
		}
	}
}
