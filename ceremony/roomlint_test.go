package ceremony_test

import (
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"pki.internal/plan"
	"pki.internal/spec"
)

// TestLintInTheRoom has the judge speak before people decide, and wants the
// record to have what it said; where all is well it says nothing.
func TestLintInTheRoom(t *testing.T) {
	lone := func(s *scene) { s.estate.Officers = nil }
	rehearsed := func(s *scene) { s.rehearsed = true }
	cases := map[string]struct {
		change []func(*scene)
		want   []string
	}{
		"well":            {[]func(*scene){rehearsed}, nil},
		"not rehearsed":   {nil, []string{"e_plan_no_dry_run"}},
		"nobody else":     {[]func(*scene){rehearsed, lone}, []string{"e_plan_clock_unverified"}},
		"a rehearsal lab": {[]func(*scene){func(s *scene) { s.estate.Environment = spec.Rehearsal }}, nil},
		"a network":       {[]func(*scene){func(s *scene) { s.estate.Environment, s.up = spec.Rehearsal, []string{"eth0"} }}, []string{"e_plan_network_up"}},
		"an allowed network": {[]func(*scene){rehearsed, func(s *scene) {
			s.estate.Ceremony, s.up = &spec.Ceremony{Network: []string{"eth0"}}, []string{"eth0"}
		}}, nil},
		"a lab": {[]func(*scene){func(s *scene) { s.estate.Environment, s.estate.Officers, s.up = spec.Lab, nil, []string{"eth0"} }}, nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := formalScene(t)
			for _, change := range c.change {
				change(s)
			}
			p := s.makePlan(planTime)
			if err := s.run(p, false); err != nil {
				t.Fatal(err)
			}
			var said []string
			for _, text := range s.said {
				if _, rest, is := strings.Cut(text, "Lint, error: "); is {
					_, id, _ := strings.Cut(rest, "(")
					id, _, _ = strings.Cut(id, ")")
					said = append(said, id)
				}
			}
			if !slices.Equal(said, c.want) {
				t.Errorf("lint says %v, want %v", said, c.want)
			}
			for _, e := range s.facts(plan.StepsWereTaken) {
				for _, taken := range e.Steps.Steps {
					noted := strings.Contains(taken.Note, "lint had found "+strings.Join(c.want, ", "))
					if taken.What == "Decide" && noted != (len(c.want) > 0) {
						t.Errorf("noted of the decision is %q", taken.Note)
					}
				}
			}
		})
	}
}

// rehearsals gives the digests of the plans that were rehearsed.
func (s *scene) rehearsals() []string {
	if !s.rehearsed {
		return nil
	}
	digest, err := s.plan.Digest()
	if err != nil {
		s.t.Fatal(err)
	}
	return []string{hex.EncodeToString(digest[:])}
}
