package plan_test

import (
	"encoding/hex"
	"slices"
	"strings"
	"testing"
	"time"

	"pki.internal/plan"
	"pki.internal/spec"
)

var rootSecret = spec.Address{Kind: "secret", Name: "root"}

// begun gives the state in which the first action of the custodians example
// comes next, and the entry that belongs there.
func begun(t *testing.T) (plan.State, plan.SharesEstablished) {
	t.Helper()
	p := mustMake(t, loadExample(t, "custodians"), plan.State{}, someInputs)
	digest, err := p.Digest()
	if err != nil {
		t.Fatal(err)
	}
	s, err := plan.State{}.Apply(plan.Event{
		Kind: plan.CeremonyBegun, Time: p.At, Audience: plan.Public, Begun: &plan.Begun{Plan: p, PlanDigest: hexOf(digest[:])},
	}, plan.Head{Entries: 1, Hash: strings.Repeat("1", 64)})
	if err != nil {
		t.Fatal(err)
	}
	e := plan.SharesEstablished{
		Action: 1, Address: rootSecret, Shares: *p.Actions[0].EstablishShares, Digest: strings.Repeat("ab", 32), Class: 32,
	}
	for i := range e.Shares.Count {
		e.Members = append(e.Members, plan.ShareMember{Commitment: strings.Repeat("0"+string("123456789"[i]), 32), Handed: plan.HandedScreen, ReadBack: "words"})
	}
	return s, e
}

func established(s plan.State, e plan.SharesEstablished) (plan.State, error) {
	return s.Apply(plan.Event{Kind: plan.SharesWereMade, Time: s.LastTime, Audience: plan.Public, Shares: &e}, plan.Head{Entries: 2, Hash: strings.Repeat("2", 64)})
}

// TestSharesAreTheOnesPlanned changes every part of the entry of a set in turn.
func TestSharesAreTheOnesPlanned(t *testing.T) {
	s, good := begun(t)
	after, err := established(s, good)
	if err != nil {
		t.Fatal(err)
	}
	have, known := after.ShareSet(rootSecret)
	if !known || have.Set != good.Digest[:32] || have.Established != s.LastTime || len(have.Proven) != 5 || !have.LastDrill.IsZero() || after.Open.Done != 1 {
		t.Errorf("%v %+v", known, have)
	}
	for name, change := range map[string]func(*plan.SharesEstablished){
		"another action":            func(e *plan.SharesEstablished) { e.Action = 2 },
		"another secret":            func(e *plan.SharesEstablished) { e.Address.Name = "issuing" },
		"another threshold":         func(e *plan.SharesEstablished) { e.Shares.Threshold = 2 },
		"one holder fewer":          func(e *plan.SharesEstablished) { e.Shares.Count = 4; e.Members = e.Members[:4] },
		"another purpose":           func(e *plan.SharesEstablished) { e.Shares.Purpose = "acme/door" },
		"a shorter secret":          func(e *plan.SharesEstablished) { e.Shares.Length = 26 },
		"more entropy":              func(e *plan.SharesEstablished) { e.Shares.Entropy = 256 },
		"another class":             func(e *plan.SharesEstablished) { e.Class = 64 },
		"a short digest":            func(e *plan.SharesEstablished) { e.Digest = e.Digest[:32] },
		"a digest in capitals":      func(e *plan.SharesEstablished) { e.Digest = strings.ToUpper(e.Digest) },
		"a share too few":           func(e *plan.SharesEstablished) { e.Members = e.Members[:4] },
		"a share twice":             func(e *plan.SharesEstablished) { e.Members[1] = e.Members[0] },
		"a commitment cut":          func(e *plan.SharesEstablished) { e.Members[1].Commitment = e.Members[1].Commitment[:62] },
		"handed out somehow":        func(e *plan.SharesEstablished) { e.Members[1].Handed = "mail" },
		"not read back":             func(e *plan.SharesEstablished) { e.Members[1].ReadBack = "" },
		"in place of what is not":   func(e *plan.SharesEstablished) { e.Shares.Replaces = strings.Repeat("cd", 16) },
		"custodians of another set": func(e *plan.SharesEstablished) { e.Shares.Custodians.Name = "issuing" },
	} {
		e := good
		e.Members = slices.Clone(good.Members)
		change(&e)
		if _, err := established(s, e); err == nil {
			t.Errorf("%s: it was taken", name)
		}
	}
	if _, err := established(after, good); err == nil {
		t.Error("the same entry was taken twice")
	}
	if _, err := s.Apply(plan.Event{Kind: plan.SecretReshared, Time: s.LastTime, Audience: plan.Public, Reshared: &good}, plan.Head{Entries: 2}); err == nil {
		t.Error("a new secret was taken for one that is shared anew")
	}
}

// TestDrills holds drills against the set in force; they need no ceremony and
// stand in none.
func TestDrills(t *testing.T) {
	open, e := begun(t)
	open, err := established(open, e)
	if err != nil {
		t.Fatal(err)
	}
	s := open
	s.Open = nil
	day := s.LastTime.Add(300 * 24 * time.Hour)
	drill := func(s plan.State, d plan.ShareDrill, at time.Time) (plan.State, error) {
		return s.Apply(plan.Event{Kind: plan.SharesDrilled, Time: at, Audience: plan.Public, Drill: &d}, plan.Head{Entries: 3, Hash: strings.Repeat("3", 64)})
	}
	good := plan.ShareDrill{Secret: rootSecret, Set: e.Digest[:32], Proven: []int{2, 4, 5}, Absent: []int{1, 3}}
	after, err := drill(s, good, day)
	if err != nil {
		t.Fatal(err)
	}
	have, _ := after.ShareSet(rootSecret)
	want := []time.Time{s.LastTime, day, s.LastTime, day, day}
	if have.LastDrill != day || have.DrillProven != 3 || !slices.Equal(have.Proven, want) {
		t.Errorf("%+v", have)
	}
	if before, _ := s.ShareSet(rootSecret); !before.LastDrill.IsZero() || !before.Proven[1].Equal(s.LastTime) {
		t.Error("the state before the drill was changed")
	}
	for name, d := range map[string]plan.ShareDrill{
		"another set":    {Secret: rootSecret, Set: strings.Repeat("00", 16), Proven: good.Proven, Absent: good.Absent},
		"another secret": {Secret: spec.Address{Kind: "secret", Name: "issuing"}, Set: good.Set, Proven: good.Proven, Absent: good.Absent},
		"a stranger":     {Secret: rootSecret, Set: good.Set, Proven: []int{2, 4, 5, 6}, Absent: good.Absent},
		"one forgotten":  {Secret: rootSecret, Set: good.Set, Proven: good.Proven, Absent: []int{1}},
		"one twice":      {Secret: rootSecret, Set: good.Set, Proven: []int{2, 2, 4, 5}, Absent: good.Absent},
		"both":           {Secret: rootSecret, Set: good.Set, Proven: good.Proven, Absent: []int{1, 2, 3}},
		"another order":  {Secret: rootSecret, Set: good.Set, Proven: []int{5, 2, 4}, Absent: good.Absent},
		"nobody":         {Secret: rootSecret, Set: good.Set, Absent: []int{1, 2, 3, 4, 5}},
		"lost and there": {Secret: rootSecret, Set: good.Set, Proven: good.Proven, Absent: good.Absent, Lost: []int{2}},
		"lost stranger":  {Secret: rootSecret, Set: good.Set, Proven: good.Proven, Absent: good.Absent, Lost: []int{3, 6}},
		"lost twice":     {Secret: rootSecret, Set: good.Set, Proven: good.Proven, Absent: good.Absent, Lost: []int{3, 3}},
	} {
		if _, err := drill(s, d, day); err == nil {
			t.Errorf("%s: it was taken", name)
		}
	}
	if _, err := drill(open, good, day); err == nil || !strings.Contains(err.Error(), "inside a ceremony") {
		t.Errorf("inside a ceremony: %v", err)
	}
}

func hexOf(b []byte) string { return hex.EncodeToString(b) }

// TestCustodiansAreNamedBeforeTheirSet holds the names against the plan, and
// a copy without them against the whole: it has the same set.
func TestCustodiansAreNamedBeforeTheirSet(t *testing.T) {
	s, e := begun(t)
	people := plan.Holders(loadExample(t, "custodians").Custodians[0])
	good := plan.CustodiansNamed{Action: 1, Address: rootSecret, Set: e.Digest[:32], Holders: people}
	name := func(n plan.CustodiansNamed) (plan.State, error) {
		return s.Apply(plan.Event{Kind: plan.HoldersNamed, Time: s.LastTime, Audience: plan.Restricted, Custodians: &n}, plan.Head{Entries: 2, Hash: strings.Repeat("4", 64)})
	}
	named, err := name(good)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := established(named, e)
	if err != nil {
		t.Fatal(err)
	}
	copied, err := established(s, e)
	if err != nil {
		t.Fatal(err)
	}
	have, _ := whole.ShareSet(rootSecret)
	without, _ := copied.ShareSet(rootSecret)
	if !slices.Equal(have.Holders, people) || without.Holders != nil || have.Digest != without.Digest {
		t.Errorf("whole %+v\ncopy %+v", have, without)
	}
	other := good
	other.Set = strings.Repeat("00", 16)
	if named, err = name(other); err != nil {
		t.Fatal(err)
	}
	if whole, err = established(named, e); err != nil {
		t.Fatal(err)
	}
	if have, _ := whole.ShareSet(rootSecret); have.Holders != nil {
		t.Error("a set took the names of one that never came into force")
	}
	for what, change := range map[string]func(*plan.CustodiansNamed){
		"another action": func(n *plan.CustodiansNamed) { n.Action = 2 },
		"another secret": func(n *plan.CustodiansNamed) { n.Address.Name = "issuing" },
		"too few":        func(n *plan.CustodiansNamed) { n.Holders = n.Holders[:4] },
		"one twice":      func(n *plan.CustodiansNamed) { n.Holders[1].Name = n.Holders[0].Name },
		"one unnamed":    func(n *plan.CustodiansNamed) { n.Holders[1].Name = "" },
		"a group":        func(n *plan.CustodiansNamed) { n.Holders[1].Group = "berlin" },
		"a short id":     func(n *plan.CustodiansNamed) { n.Set = n.Set[:16] },
	} {
		n := good
		n.Holders = slices.Clone(people)
		change(&n)
		if _, err := name(n); err == nil {
			t.Errorf("%s: it was taken", what)
		}
	}
}

// TestGroupsAreTheOnesPlanned holds the sets of groups against the plan.
func TestGroupsAreTheOnesPlanned(t *testing.T) {
	for _, c := range []struct {
		groups string
		good   bool
	}{
		{"2/2 2/3", true}, {"2/3 2/2", true}, {"2/2 2/2", false}, {"2/5", false}, {"2/2, 2/3", false}, {"2/2 02/3", false},
		{"1/2 2/3", false}, {"3/2 2/3", false}, {"2/2 2/3 ", false}, {"x", false},
	} {
		a := plan.SharesAction{Threshold: 2, Count: 5, Groups: c.groups}
		if sizes, err := a.GroupSizes(); (err == nil) != c.good {
			t.Errorf("%q: %v, %v", c.groups, sizes, err)
		}
	}
	s, e := begun(t)
	e.Groups = []plan.ShareGroup{{Digest: strings.Repeat("1f", 32), Commitment: strings.Repeat("2f", 32)}}
	if _, err := established(s, e); err == nil {
		t.Error("the set of a group that is not planned was taken")
	}
}
