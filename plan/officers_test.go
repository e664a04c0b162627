package plan_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"pki.internal/plan"
	"pki.internal/spec"
	"pki.internal/spec/identity"
)

// officer makes an officer and the private key that is his.
func officer(t *testing.T, name, role string) (*spec.Officer, *identity.Private) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(jose.JSONWebKey{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	private, err := identity.ParsePrivate(text, nil)
	if err != nil {
		t.Fatal(err)
	}
	o := &spec.Officer{Role: role, PublicKey: private.Public().Text()}
	o.Address = spec.Address{Kind: "officer", Name: name}
	return o, private
}

func digestOf(t *testing.T, p *plan.Plan) string {
	t.Helper()
	digest, err := p.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(digest[:])
}

func approve(t *testing.T, p *plan.Plan, o *spec.Officer, key *identity.Private) plan.Approval {
	t.Helper()
	text, err := plan.Statement(p, digestOf(t, p), o.Name(), o.Role)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := key.SignStatement(rand.Reader, plan.ApprovalNamespace, text)
	if err != nil {
		t.Fatal(err)
	}
	return plan.Approval{Officer: o.Name(), Role: o.Role, Signature: signature}
}

func begin(t *testing.T, s plan.State, p *plan.Plan, given ...plan.Approval) (plan.State, error) {
	t.Helper()
	return s.Apply(plan.Event{
		Kind: plan.CeremonyBegun, Time: p.At.Add(time.Hour), Audience: plan.Restricted,
		Begun: &plan.Begun{Plan: p, PlanDigest: digestOf(t, p), Approvals: given},
	}, plan.Head{Entries: s.Head.Entries + 1, Hash: strings.Repeat("1", 64)})
}

// TestQuorumInTheLedger reads no ceremony that began without the approvals
// that it needed, from officers who were in office.
func TestQuorumInTheLedger(t *testing.T) {
	e := loadExample(t, "two-tier")
	ada, adasKey := officer(t, "ada", spec.Administrator)
	grace, gracesKey := officer(t, "grace", spec.Witness)
	e.Officers, e.Quorum = []*spec.Officer{ada, grace}, &spec.Quorum{Approvals: 2}
	p := mustMake(t, e, plan.State{}, someInputs)
	if p.Actions[0].Kind != plan.AppointOfficers {
		t.Fatalf("the first action is %s", p.Actions[0].Kind)
	}
	a, g := approve(t, p, ada, adasKey), approve(t, p, grace, gracesKey)
	for want, given := range map[string][]plan.Approval{
		"approved by 0 of the 2 officers": {},
		"approved by 1 of the 2 officers": {a},
		"ada approves twice":              {a, a},
		"grace is witness and signed as":  {a, {Officer: "grace", Role: "administrator", Signature: g.Signature}},
		"signature is not by this key":    {a, {Officer: "grace", Role: "witness", Signature: a.Signature}},
		"eve is no officer who may":       {a, g, {Officer: "eve", Role: "witness", Signature: g.Signature}},
	} {
		if _, err := begin(t, plan.State{}, p, given...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	s, err := begin(t, plan.State{}, p, g, a)
	if err != nil {
		t.Fatal(err)
	}
	if s.Officers() != nil {
		t.Error("officers are in office before their action happened")
	}
	appointed := plan.Event{
		Kind: plan.OfficersAppointed, Time: p.At.Add(time.Hour), Audience: plan.Restricted,
		Officers: &plan.Appointed{Action: 1, Officers: plan.OfficersAction{Officers: []plan.Officer{{Name: "eve", Role: spec.Witness}}}},
	}
	if _, err := s.Apply(appointed, plan.Head{Entries: 2}); err == nil || !strings.Contains(err.Error(), "other officers than the plan") {
		t.Errorf("got %v", err)
	}
	appointed.Officers.Officers = *p.Actions[0].AppointOfficers
	if s, err = s.Apply(appointed, plan.Head{Entries: 2}); err != nil {
		t.Fatal(err)
	}
	if s.Officers() == nil || s.Officers().Approvals != 2 {
		t.Errorf("in office: %+v", s.Officers())
	}
}

// TestApprovalOfAnotherPlan does not count for this one.
func TestApprovalOfAnotherPlan(t *testing.T) {
	e := loadExample(t, "two-tier")
	ada, key := officer(t, "ada", spec.Administrator)
	e.Officers, e.Quorum = []*spec.Officer{ada}, &spec.Quorum{Approvals: 1}
	one := mustMake(t, e, plan.State{}, someInputs)
	in := someInputs
	in.Seed[0]++
	other := mustMake(t, e, plan.State{}, in)
	if _, err := begin(t, plan.State{}, other, approve(t, one, ada, key)); err == nil || !strings.Contains(err.Error(), "not by this key over these bytes") {
		t.Errorf("got %v", err)
	}
	if _, err := begin(t, plan.State{}, other, approve(t, other, ada, key)); err != nil {
		t.Error(err)
	}
}

// TestAttested takes a signature under the head from an officer in office, and
// nothing else.
func TestAttested(t *testing.T) {
	e := loadExample(t, "two-tier")
	ada, adasKey := officer(t, "ada", spec.Administrator)
	e.Officers, e.Quorum = []*spec.Officer{ada}, &spec.Quorum{Approvals: 1}
	p := mustMake(t, e, plan.State{}, someInputs)
	s, err := begin(t, plan.State{}, p, approve(t, p, ada, adasKey))
	if err != nil {
		t.Fatal(err)
	}
	at := p.At.Add(time.Hour)
	apply := func(s plan.State, e plan.Event) (plan.State, error) {
		e.Time, e.Audience = at, plan.AudienceOf(e)
		return s.Apply(e, plan.Head{Entries: s.Head.Entries + 1, Hash: strings.Repeat("ab", 32)})
	}
	if s, err = apply(s, plan.Event{Kind: plan.OfficersAppointed, Officers: &plan.Appointed{Action: 1, Officers: *p.Actions[0].AppointOfficers}}); err != nil {
		t.Fatal(err)
	}
	digest := digestOf(t, p)
	inside := s
	if s, err = apply(s, plan.Event{Kind: plan.CeremonyAborted, Aborted: &plan.Aborted{PlanDigest: digest, Actions: 1}}); err != nil {
		t.Fatal(err)
	}
	if !s.Aborted(digest) || s.Open != nil {
		t.Error("the ceremony is not aborted")
	}
	sign := func(s plan.State, remark string) *plan.Attested {
		text, err := s.Attestation(plan.Officer{Name: "ada", Role: spec.Administrator}, remark)
		if err != nil {
			t.Fatal(err)
		}
		signature, err := adasKey.SignStatement(rand.Reader, plan.AttestNamespace, text)
		if err != nil {
			t.Fatal(err)
		}
		return &plan.Attested{Officer: "ada", Role: spec.Administrator, Head: s.Head, Remark: remark, Signature: signature}
	}
	good := sign(s, "yes")
	for want, change := range map[string]func(a *plan.Attested){
		"eve is no officer":          func(a *plan.Attested) { a.Officer = "eve" },
		"signed as witness":          func(a *plan.Attested) { a.Role = spec.Witness },
		"another head":               func(a *plan.Attested) { a.Head.Entries-- },
		"signature is not by this k": func(a *plan.Attested) { a.Remark = "no" },
	} {
		bad := *good
		change(&bad)
		if _, err := apply(s, plan.Event{Kind: plan.HeadAttested, Attested: &bad}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if _, err := apply(inside, plan.Event{Kind: plan.HeadAttested, Attested: sign(inside, "")}); err == nil {
		t.Error("it is taken inside a ceremony")
	}
	if _, err := apply(s, plan.Event{Kind: plan.HeadAttested, Attested: good}); err != nil {
		t.Fatal(err)
	}
}
