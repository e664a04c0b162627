package script_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"pki.internal/ceremony/script"
	"pki.internal/plan"
	"pki.internal/spec"
	"pki.internal/spec/hclspec"
)

func planOf(t *testing.T, example string) *plan.Plan {
	t.Helper()
	loaded, diags := hclspec.Load(os.DirFS("../../examples/"+example), nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	p, diags := plan.Make(loaded.Estate, plan.State{}, plan.Inputs{At: time.Date(2027, 1, 4, 9, 0, 0, 0, time.UTC), Window: spec.Duration{Days: 7}, Tool: plan.Tool{Version: "test"}})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return p
}

func written(t *testing.T, p *plan.Plan) *script.Script {
	t.Helper()
	s, err := script.Of(p)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestEveryActionHasOneStep for every example: in the order of the plan, after
// the decision, and with words where something cannot be undone.
func TestEveryActionHasOneStep(t *testing.T) {
	entries, err := os.ReadDir("../../examples")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !e.IsDir() || e.Name() == "iot" || e.Name() == "own-root" { // their plans take in files that are made beside them
			continue
		}
		t.Run(e.Name(), func(t *testing.T) {
			p := planOf(t, e.Name())
			p.Estate.Environment = spec.Production
			s := written(t, p)
			next, decided := 1, false
			for i, step := range s.Steps {
				if step.Number != i+1 || step.Title == "" || step.Role == "" || step.Minutes < 1 {
					t.Errorf("step %d: %+v", i+1, step)
				}
				decided = decided || step.Does == script.Go
				for _, number := range step.Actions {
					if number != next || !decided {
						t.Errorf("step %d does action %d, and %d comes next", step.Number, number, next)
					}
					if p.Actions[number-1].Irreversible && (step.Ask != script.AskWords || step.Words == "" || !step.Irreversible) {
						t.Errorf("step %d (%s) cannot be undone, and no words are typed", step.Number, step.Title)
					}
					next++
				}
			}
			if next != len(p.Actions)+1 {
				t.Errorf("%d of %d actions have a step", next-1, len(p.Actions))
			}
		})
	}
}

// twoTokens is a plan with keys on two tokens.
func twoTokens(t *testing.T, readers int) *plan.Plan {
	t.Helper()
	p := planOf(t, "two-tier-hsm")
	p.Needs.Readers = readers
	return p
}

// TestOneReader: tokens make room for each other, and each is back in the safe
// at the end.
func TestOneReader(t *testing.T) {
	s := written(t, twoTokens(t, 1))
	if s.Swaps < 3 {
		t.Errorf("%d swaps", s.Swaps)
	}
	in := 0
	for _, step := range s.Steps {
		switch step.Does {
		case script.Insert:
			in++
		case script.Swap:
			if step.Out == step.Subject || step.Out == (spec.Address{}) {
				t.Errorf("step %d swaps %s for %s", step.Number, step.Out, step.Subject)
			}
		}
	}
	if in != 1 {
		t.Errorf("%d tokens are put into one reader without one coming out", in)
	}
	if two := written(t, twoTokens(t, 2)); two.Swaps != 0 {
		t.Errorf("%d swaps with two readers", two.Swaps)
	}
	if all := written(t, twoTokens(t, 0)); all.Swaps != 0 {
		t.Errorf("%d swaps with as many readers as tokens", all.Swaps)
	}
}

// TestImpossible refuses a script whose step wants what cannot be.
func TestImpossible(t *testing.T) {
	p := twoTokens(t, 1)
	// A token that nobody fetched: the plan forgets it, and its keys are used.
	p.Needs.Tokens = slices.Insert(p.Needs.Tokens, 0, p.Needs.Tokens[0])
	_, err := script.Of(p)
	var impossible *script.ImpossibleError
	if !errors.As(err, &impossible) || !strings.Contains(err.Error(), "must be in the safe and is on the table") {
		t.Errorf("Of = %v", err)
	}

	// A copy of a key goes from one token to another, and there is one reader.
	p = twoTokens(t, 1)
	p.Actions = append(p.Actions, plan.Action{
		Number: len(p.Actions) + 1, Kind: plan.BackUpKey, Address: p.Actions[0].Address,
		BackUpKey: &plan.BackUpAction{From: p.Needs.Tokens[0].Store, Key: plan.KeyAction{Store: p.Needs.Tokens[1].Store}},
	})
	_, err = script.Of(p)
	if !errors.As(err, &impossible) || !strings.Contains(err.Error(), "bring another reader") {
		t.Errorf("Of = %v", err)
	}
	p.Needs.Readers = 2
	if _, err := script.Of(p); err != nil {
		t.Error(err)
	}
}

// TestManyAlike: nobody listens to the two hundredth certificate.
func TestManyAlike(t *testing.T) {
	p := planOf(t, "fleet-authorities")
	s := written(t, p)
	if len(s.Steps) > 60 {
		t.Errorf("%d actions make %d steps", len(p.Actions), len(s.Steps))
	}
}

func TestVariants(t *testing.T) {
	p := planOf(t, "two-tier")
	if s := written(t, p); s.Variant != "Root ceremony" {
		t.Errorf("variant %q", s.Variant)
	}
	p.Actions = slices.DeleteFunc(p.Actions, func(a plan.Action) bool { return a.Kind != plan.SignCRL })
	if s := written(t, p); s.Variant != "CRL ceremony" {
		t.Errorf("variant %q", s.Variant)
	}
	p.Changes = []plan.Change{{Class: plan.NewCRL, Why: "1 certificate is revoked"}}
	if s := written(t, p); s.Variant != "Revocation ceremony" {
		t.Errorf("variant %q", s.Variant)
	}
	p.Actions = nil
	if s := written(t, p); len(s.Steps) != 0 {
		t.Errorf("%d steps for nothing", len(s.Steps))
	}
}

func TestLength(t *testing.T) {
	for minutes, want := range map[int]string{5: "5 min", 60: "1 h", 95: "1 h 35 min"} {
		if have := script.Length(minutes); have != want {
			t.Errorf("Length(%d) = %q, want %q", minutes, have, want)
		}
	}
}
