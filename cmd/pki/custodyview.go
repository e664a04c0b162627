package main

import (
	"fmt"
	"io"
	"strings"

	"pki.internal/plan"
	"pki.internal/spec"
)

// printSharing shows who will hold a secret together. The plan names nobody:
// the names are those of the estate and of the ledger that were read with it.
func (a *app) printSharing(w io.Writer, action plan.Action, s *plan.SharesAction) {
	rows := []string{
		"       For\t" + s.Purpose,
		"       Needed\t" + neededTitle(s),
	}
	made := fmt.Sprintf("%d characters, %d bits, made here and shown to nobody", s.Length, s.Entropy)
	switch {
	case s.Replaces != "":
		rows = append(rows, "       Secret\tthe same as before; the new shares do not fit the old ones", "       Replaces\tset "+s.Replaces+", once all new shares are proven")
	case s.Dice:
		rows = append(rows, "       Secret\t"+made+"; throws of dice are mixed in")
	default:
		rows = append(rows, "       Secret\t"+made)
	}
	holders := a.holders(action.Address)
	if len(holders) != s.Count {
		table(w, append(rows, "       Holders\tnamed by "+s.Custodians.String()+" in the estate")...)
		return
	}
	if have, known := a.ledger.ShareSet(action.Address); known && have.Set == s.Replaces {
		leave, join := plan.Changes(have.Holders, holders)
		if len(leave) > 0 {
			rows = append(rows, "       Leaves\t"+strings.Join(leave, ", "))
		}
		if len(join) > 0 {
			rows = append(rows, "       Joins\t"+strings.Join(join, ", "))
		}
	}
	for i, h := range holders {
		rows = append(rows, fmt.Sprintf("       Share %d\t%s", i+1, holderTitle(h)))
	}
	table(w, rows...)
}

// neededTitle says how many shares give a secret.
func neededTitle(s *plan.SharesAction) string {
	sizes, err := s.GroupSizes()
	if err != nil || len(sizes) == 0 {
		return fmt.Sprintf("any %d of %d shares", s.Threshold, s.Count)
	}
	var parts []string
	for _, g := range sizes {
		parts = append(parts, fmt.Sprintf("%d of %d", g.Threshold, g.Count))
	}
	return fmt.Sprintf("any %d of %s, in each %s people", s.Threshold, count(len(sizes), "group"), strings.Join(parts, ", "))
}

// holders gives the people whom the estate that was read names for a secret.
func (a *app) holders(secret spec.Address) []plan.Holder {
	if a.estate == nil {
		return nil
	}
	for _, s := range a.estate.Secrets {
		if s.Address == secret && s.Custodians != nil {
			return plan.Holders(s.Custodians)
		}
	}
	return nil
}

func holderTitle(h plan.Holder) string {
	how := "on paper"
	switch {
	case h.Recipient != "":
		how = "encrypted to " + h.Recipient
	case h.Identity != "":
		how = "encrypted; in this lab the file " + h.Identity + " stands for the person"
	}
	if h.Group != "" {
		how = "of " + h.Group + ", " + how
	}
	if h.Site != "" {
		how = "kept at " + h.Site + ", " + how
	}
	return h.Name + ", " + how
}

// pinTitle says where a token's PIN comes from.
func pinTitle(secret spec.Address, form string) string {
	f, err := spec.ParsePINForm(form)
	if err != nil || form == "" {
		return secret.String()
	}
	return fmt.Sprintf("made from %s: %d %s", secret, f.Length, f.Alphabet)
}

// fromCustodians says whose shares a secret is put together from.
func fromCustodians(p *plan.Plan, secret spec.Address) string {
	for _, need := range p.Needs.Custodians {
		if need.Secret == secret {
			return fmt.Sprintf(" (%d of %s)", need.Threshold, count(need.Count, map[bool]string{false: "custodian", true: "group"}[need.Groups]))
		}
	}
	for _, a := range p.Actions {
		if a.Kind == plan.EstablishShares && a.Address == secret {
			return fmt.Sprintf(" (made here, shared among %d custodians)", a.EstablishShares.Count)
		}
	}
	return ""
}

func sharesTitle(e *plan.SharesEstablished, how string) string {
	return fmt.Sprintf("action %d: %s %s, %s, set %.16s…, every share proven", e.Action, e.Address, how, neededTitle(&e.Shares), e.Digest)
}

func holderNames(holders []plan.Holder) string {
	var names []string
	for _, h := range holders {
		names = append(names, h.Name)
	}
	return " are " + strings.Join(names, ", ")
}
