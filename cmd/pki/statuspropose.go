package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"pki.internal/ceremony/script"
	"pki.internal/plan"
	"pki.internal/spec"
)

// proposal is the plan that was written for what is due.
type proposal struct {
	Out     string    `json:"out"`
	Digest  string    `json:"digest"`
	At      time.Time `json:"at"`
	Actions []string  `json:"actions"`
	People  []string  `json:"people"`  // roles
	Secrets []string  `json:"secrets"` // addresses
	Tokens  []string  `json:"tokens"`  // key stores on tokens
	Minutes int       `json:"minutes"` // that the script of the ceremony takes
}

// propose writes the plan of the ceremony that enters its signing period. Its
// date is the day on which the earliest due action may begin, or now.
func (a *app) propose(o statusOptions, estate *spec.Estate, state plan.State, all []appointment) (*proposal, error) {
	if estate == nil {
		return nil, errors.New("--propose plans from the estate, and there are no *.pki.hcl files here")
	}
	in, err := a.planInputs(planOptions{window: o.window, vars: o.vars})
	if err != nil {
		return nil, err
	}
	if in.Variables == nil {
		in.Variables = state.Variables
	}
	now := in.At
	var due *time.Time
	for _, p := range all {
		if !p.Due || slices.Contains([]string{plan.ForRelease, plan.ForWaiver, plan.ForDrill}, p.Kind) {
			continue // none of these is a ceremony
		}
		if due == nil || p.From.Before(*due) {
			due = &p.From
		}
	}
	if due != nil && due.After(now) {
		in.At = *due
	}
	if in.Tool, err = tool(); err != nil {
		return nil, err
	}
	p, text, diags := plan.MakeEncoded(estate, state, in)
	if diags.HasErrors() {
		return nil, diags
	}
	a.warn(diags)
	if len(p.Actions) == 0 {
		return nil, nil
	}
	room, err := script.Of(p)
	if err != nil {
		return nil, err
	}
	if err := savePlan(o.propose, text); err != nil {
		return nil, err
	}
	digest := sha256.Sum256(text)
	out := &proposal{Minutes: room.Minutes, Out: o.propose, Digest: hex.EncodeToString(digest[:]), At: p.At, People: p.Needs.Roles, Tokens: tokensOf(estate, state, p)}
	for _, action := range p.Actions {
		out.Actions = append(out.Actions, actionName(action))
	}
	for _, s := range p.Needs.Secrets {
		out.Secrets = append(out.Secrets, s.String())
	}
	return out, nil
}

// tokensOf lists the tokens that a plan's keys are on.
func tokensOf(e *spec.Estate, s plan.State, p *plan.Plan) []string {
	var tokens []string
	add := func(store spec.Address) {
		for _, k := range e.KeyStores {
			if k.Address == store && k.Token != nil {
				tokens = append(tokens, k.Address.String())
			}
		}
	}
	for _, action := range p.Actions {
		if action.GenerateKey != nil {
			add(action.GenerateKey.Store)
		}
		if issuer, signs := action.Issuer(); signs {
			if have, known := s.Authority(issuer.Address); known && have.Key != nil {
				add(have.Key.Key.Store)
			}
		}
	}
	slices.Sort(tokens)
	return slices.Compact(tokens)
}

func printProposal(w io.Writer, p *proposal) {
	if p == nil {
		return
	}
	fmt.Fprintf(w, "\nProposed: %s, for %s\n", p.Out, instant(p.At))
	for i, action := range p.Actions {
		fmt.Fprintf(w, "  %d. %s\n", i+1, action)
	}
	fmt.Fprintf(w, "  In the room: %s; about %s\n", strings.Join(slices.Concat(p.People, p.Secrets, p.Tokens), ", "), script.Length(p.Minutes))
	fmt.Fprintf(w, "Next: have it reviewed (pki show %s) and approved, then hold the ceremony.\n", p.Out)
}
