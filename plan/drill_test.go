package plan_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pki.internal/plan"
	"pki.internal/spec"
)

// drilled gives the state after a drill of the set of the custodians example.
func drilled(t *testing.T, s plan.State, at time.Time, proven, lost []int) plan.State {
	t.Helper()
	have, known := s.ShareSet(rootSecret)
	if !known {
		t.Fatal("there is no set")
	}
	d := plan.ShareDrill{Secret: rootSecret, Set: have.Set, Proven: proven, Lost: lost}
	for n := 1; n <= have.Shares.Count; n++ {
		if !slices.Contains(proven, n) {
			d.Absent = append(d.Absent, n)
		}
	}
	after, err := s.Apply(plan.Event{Kind: plan.SharesDrilled, Time: at, Audience: plan.Public, Drill: &d}, plan.Head{Entries: s.Head.Entries + 1, Hash: strings.Repeat("5", 64)})
	if err != nil {
		t.Fatal(err)
	}
	return after
}

// custodyDates gives what the calendar says of shares.
func custodyDates(e *spec.Estate, s plan.State, now time.Time) []string {
	var all []string
	for _, a := range plan.Calendar(e, s, nil, now) {
		if a.Kind == plan.ForDrill || a.Kind == plan.ForLoss {
			all = append(all, a.From.Format(time.DateOnly)+" "+a.Until.Format(time.DateOnly)+" "+a.What)
		}
	}
	return all
}

// TestCalendarOfShares follows a set of three of five through drills, losses
// and a find.
func TestCalendarOfShares(t *testing.T) {
	s, e := begun(t)
	people := plan.Holders(loadExample(t, "custodians").Custodians[0])
	s, err := s.Apply(plan.Event{
		Kind: plan.HoldersNamed, Time: s.LastTime, Audience: plan.Restricted,
		Custodians: &plan.CustodiansNamed{Action: 1, Address: rootSecret, Set: e.Digest[:32], Holders: people},
	}, plan.Head{Entries: 2, Hash: strings.Repeat("4", 64)})
	if err != nil {
		t.Fatal(err)
	}
	if s, err = established(s, e); err != nil {
		t.Fatal(err)
	}
	s.Open = nil
	made := s.LastTime
	after := func(days int) time.Time { return made.AddDate(0, 0, days) }
	date := func(days int) string { return after(days).Format(time.DateOnly) }
	yearly := func(days int) string { return after(days).AddDate(1, 0, 0).Format(time.DateOnly) }
	month := func(days int) string {
		until := after(days).AddDate(1, 0, 0)
		return until.Add(-until.Sub(after(days)) / 12).Format(time.DateOnly)
	}
	for _, step := range []struct {
		day          int
		proven, lost []int
		spare        int
		want         []string
	}{
		{day: 100, proven: []int{1, 2, 4}, spare: 2, want: []string{month(0) + " " + yearly(0) + " proof of shares 3, 5"}},
		{day: 110, proven: []int{3, 5}, spare: 2, want: []string{month(100) + " " + yearly(100) + " proof of shares 1, 2, 3, 4, 5"}},
		{day: 120, lost: []int{5}, spare: 1, want: []string{
			month(100) + " " + yearly(100) + " proof of shares 1, 2, 3, 4",
			date(120) + " " + yearly(100) + " share 5 lost, and 1 more may be",
		}},
		{day: 130, proven: []int{1, 2, 4}, lost: []int{3}, spare: 0, want: []string{
			date(120) + " " + date(120) + " shares 3, 5 lost, and no more may be",
			month(130) + " " + yearly(130) + " proof of shares 1, 2, 4",
		}},
		{day: 140, lost: []int{1}, spare: -1, want: []string{date(120) + " " + date(120) + " shares 1, 3, 5 lost, and the secret with them"}},
		{day: 150, proven: []int{1, 5}, spare: 1, want: []string{
			month(130) + " " + yearly(130) + " proof of shares 1, 2, 4, 5",
			date(130) + " " + yearly(130) + " share 3 lost, and 1 more may be",
		}},
	} {
		s = drilled(t, s, after(step.day), step.proven, step.lost)
		have, _ := s.ShareSet(rootSecret)
		if have.Spare() != step.spare {
			t.Errorf("day %d: %d more may be lost, want %d", step.day, have.Spare(), step.spare)
		}
		if dates := custodyDates(nil, s, after(step.day)); !slices.Equal(dates, step.want) {
			t.Errorf("day %d: the calendar has\n%s\nwant\n%s", step.day, strings.Join(dates, "\n"), strings.Join(step.want, "\n"))
		}
	}
	have, _ := s.ShareSet(rootSecret)
	if names := have.ProvenSince(after(131)); !slices.Equal(names, []string{"alice", "erin"}) || have.Enough(names) {
		t.Errorf("proven since day 131: %v", names)
	}
	if names := have.ProvenSince(after(130)); !have.Enough(names) {
		t.Errorf("proven since day 130: %v", names)
	}
	estate := loadExample(t, "custodians")
	estate.Custodians[0].DrillEvery = spec.Duration{Months: 6}
	if dates := custodyDates(estate, s, after(150)); !strings.Contains(strings.Join(dates, "\n"), after(130).AddDate(0, 6, 0).Format(time.DateOnly)+" proof of") {
		t.Errorf("with a drill every six months: %v", dates)
	}
}

// TestSpareShares counts losses that groups bear.
func TestSpareShares(t *testing.T) {
	for _, c := range []struct {
		threshold int
		groups    string
		lost      []int
		want      int
	}{
		{2, "2/3 2/3 2/3", nil, 3}, // two groups of three must go: two losses in each
		{2, "2/3 2/3 2/3", []int{1}, 2},
		{2, "2/3 2/3 2/3", []int{1, 2}, 1},
		{2, "2/3 2/3 2/3", []int{1, 2, 4}, 0},
		{2, "2/3 2/3 2/3", []int{1, 2, 4, 5}, -1},
		{2, "2/2 2/4", nil, 0},
		{3, "", []int{1, 5}, 0},
		{3, "", []int{1, 2, 5}, -1},
	} {
		set := plan.ShareSet{Shares: plan.SharesAction{Threshold: c.threshold, Groups: c.groups, Count: 9}, Lost: make([]time.Time, 9)}
		if c.groups == "2/2 2/4" {
			set.Shares.Count, set.Lost = 6, set.Lost[:6]
		}
		if c.groups == "" {
			set.Shares.Count, set.Lost = 5, set.Lost[:5]
		}
		for _, n := range c.lost {
			set.Lost[n-1] = time.Unix(1, 0)
		}
		if have := set.Spare(); have != c.want {
			t.Errorf("%d of %q without %v: %d more may be lost, want %d", c.threshold, c.groups, c.lost, have, c.want)
		}
	}
}
