package ceremony_test

import (
	"errors"
	"testing"
	"time"

	"pki.internal/plan"
	"pki.internal/spec"
)

// edit gives a copy of a plan with a change that keeps it well formed.
func edit(t *testing.T, p *plan.Plan, change func(*plan.Plan)) *plan.Plan {
	t.Helper()
	text, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	copied, err := plan.Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	change(copied)
	if err := copied.Seal(); err != nil {
		t.Fatal(err)
	}
	return copied
}

// TestEditedPlanIsRefused changes a plan in ways that keep its digest
// consistent with its content: only making it again can tell.
func TestEditedPlanIsRefused(t *testing.T) {
	s := newScene(t, "two-tier")
	p := s.makePlan(planTime)
	cases := map[string]struct {
		change func(*plan.Plan)
		fact   string
	}{
		"serial":    {func(p *plan.Plan) { p.Actions[1].SignCertificate.Template.Serial = "4000000000000000000000000000000f" }, "action 2"},
		"not after": {func(p *plan.Plan) { p.Actions[1].SignCertificate.Template.NotAfter = p.At.AddDate(30, 0, 0) }, "action 2"},
		"path length": {func(p *plan.Plan) {
			p.Actions[1].SignCertificate.Template.Extensions[1].Value = []byte{0x30, 3, 1, 1, 0xff}
		}, "action 2"},
		"key location":    {func(p *plan.Plan) { p.Actions[0].GenerateKey.Location = "keys/other.key" }, "action 1"},
		"hidden findings": {func(p *plan.Plan) { p.Lint.FailOn = 4 }, "head"},
		"dropped action":  {func(p *plan.Plan) { p.Actions = p.Actions[:len(p.Actions)-1] }, "instead of"},
		"seed":            {func(p *plan.Plan) { p.Seed = "08" + p.Seed[2:] }, "action"},
		"other estate":    {func(p *plan.Plan) { p.Estate.Name = "other" }, "head"},
		"inputs":          {func(p *plan.Plan) { p.Estate.Inputs[0].SHA256 = "00" }, "was changed after the plan was made"},
		"window":          {func(p *plan.Plan) { p.Window.NotAfter = p.Window.NotAfter.Add(time.Second) }, "whole hours"},
		"tool set lints":  {func(p *plan.Plan) { p.Lint.Set = "00" }, "head"},
		"other ledger":    {func(p *plan.Plan) { p.Ledger.Hash = "11" + p.Ledger.Hash[2:] }, "another ledger"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := s.admit(edit(t, p, c.change), false)
			wantRefusal(t, err, c.fact)
		})
	}
	if _, err := s.admit(edit(t, p, func(*plan.Plan) {}), false); err != nil {
		t.Errorf("the plan itself: %v", err)
	}
}

func TestWindow(t *testing.T) {
	s := newScene(t, "two-tier")
	p := s.makePlan(planTime)
	for name, c := range map[string]struct {
		now  time.Time
		fact string
	}{
		"a second early": {p.Window.NotBefore.Add(-time.Second), "may run from"},
		"a second late":  {p.Window.NotAfter.Add(time.Second), "could run until"},
		"1970":           {time.Unix(0, 0), "may run from"},
	} {
		s.now = c.now
		_, err := s.admit(p, false)
		t.Run(name, func(t *testing.T) { wantRefusal(t, err, c.fact) })
	}
	for _, now := range []time.Time{p.Window.NotBefore, p.Window.NotAfter} {
		s.now = now
		if _, err := s.admit(p, false); err != nil {
			t.Errorf("at %s: %v", now, err)
		}
	}
}

// TestWindowPassesDuringInterruption lets an interrupted ceremony go on after
// its window: no other plan could finish it.
func TestWindowPassesDuringInterruption(t *testing.T) {
	s := newScene(t, "two-tier")
	p := s.makePlan(planTime)
	s.cutAt = 9
	if err := s.run(p, false); !errors.Is(err, errCut) {
		t.Fatal(err)
	}
	s.again()
	s.now = p.Window.NotAfter.AddDate(0, 0, 3)
	if err := s.run(p, true); err != nil {
		t.Fatal(err)
	}
	s.wholeEnd(p)
}

func TestStalePlan(t *testing.T) {
	s := newScene(t, "two-tier")
	first, second := s.makePlan(planTime), s.makePlan(planTime.Add(time.Minute))
	if err := s.run(first, false); err != nil {
		t.Fatal(err)
	}
	_, err := s.admit(second, false)
	wantRefusal(t, err, "stale")
}

func TestToolMatters(t *testing.T) {
	s := newScene(t, "two-tier")
	s.estate.Environment = spec.Production
	for _, secret := range s.estate.Secrets {
		secret.File, secret.Prompt = "", true
	}
	p := s.makePlan(planTime)
	s.tool.SHA256 = "11"
	_, err := s.admit(p, false)
	wantRefusal(t, err, "was made by pki")
}

// TestNextCeremony makes a CRL a year later, with keys that exist: the plan
// holds the bytes.
func TestNextCeremony(t *testing.T) {
	s := newScene(t, "two-tier")
	if err := s.run(s.makePlan(planTime), false); err != nil {
		t.Fatal(err)
	}
	year := planTime.AddDate(0, 11, 0)
	s.now = year.Add(time.Hour)
	p := s.makePlan(year)
	if len(p.Actions) != 1 || p.Actions[0].SignCRL == nil || p.Actions[0].SignCRL.Number != "2" || p.Actions[0].SignCRL.TBS == nil {
		t.Fatalf("actions: %+v", p.Actions)
	}
	s.again()
	if err := s.run(p, false); err != nil {
		t.Fatal(err)
	}
	root, _ := s.book().State().Authority(spec.Address{Kind: "authority", Name: "root"})
	if root.CRLNumber != "2" {
		t.Errorf("CRL number %s, want 2", root.CRLNumber)
	}
	s.files["crls/root.crl"] = plan.File{Path: "crls/root.crl", Data: []byte("not ours")}
	later := s.makePlan(year.AddDate(0, 11, 0))
	s.now = year.AddDate(0, 11, 1)
	wantRefusal(t, s.run(later, false), "already there")
}
