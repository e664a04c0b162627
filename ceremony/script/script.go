// Package script answers one question: what do the people in the room do, and
// in which order?
//
// A Script is made from a plan and from nothing else. It is the list that is
// printed for the table, that the screen walks through and that the ledger's
// numbers refer to. Every step says what must be so before it and what is so
// after it; Of walks through them once and refuses a script that cannot be
// carried out, such as one that needs two tokens in one reader.
package script

import (
	"fmt"
	"strings"

	"pki.internal/plan"
	"pki.internal/spec"
)

// Script is the list of steps of one ceremony.
type Script struct {
	Variant string         // what kind of ceremony it is, such as "CRL ceremony"
	Steps   []Step         // numbered from 1, in order
	After   []plan.Duty    // duties for afterwards, by their date
	Final   int            // number of the step after which something cannot be undone, 0 for none, as in a drill
	Minutes int            // of all steps
	Swaps   int            // times that a token makes room for another
	Roles   []string       // who must be there throughout
	Plan    *plan.Plan     // that it carries out
	Tokens  []spec.Address // key stores whose tokens leave the safe
}

// Step is one thing that one person does while the others watch.
type Step struct {
	Number       int    `json:"number"`
	Phase        string `json:"phase"`
	Role         string `json:"role"` // who acts
	Title        string `json:"title"`
	Reads        string `json:"reads,omitempty"`  // read aloud
	Shows        string `json:"shows,omitempty"`  // what the screen shows, or the command
	Expect       string `json:"expect,omitempty"` // what must come of it
	Irreversible bool   `json:"irreversible"`
	Minutes      int    `json:"minutes"`

	Does    Deed         `json:"does,omitempty"`    // the program's own part, "" when people do it
	Ask     Ask          `json:"ask,omitempty"`     // how it is confirmed
	Words   string       `json:"words,omitempty"`   // that are typed, for AskWords
	Subject spec.Address `json:"subject,omitzero"`  // secret or key store that it is about
	Out     spec.Address `json:"out,omitzero"`      // key store whose token makes room, of a swap
	Actions []int        `json:"actions,omitempty"` // of the plan

	Needs []Fact `json:"needs,omitempty"`
	Sets  []Fact `json:"sets,omitempty"`
}

// Deed is what the program does in a step.
type Deed string

// The program's deeds.
const (
	SignIn   Deed = "sign_in"   // takes down who is there
	Host     Deed = "host"      // looks at the network
	Clock    Deed = "clock"     // compares its clock with another
	Media    Deed = "media"     // has the ledger on every medium
	Outputs  Deed = "outputs"   // holds what earlier ceremonies gave against the ledger
	Digest   Deed = "digest"    // has the plan's digest read back
	Secret   Deed = "secret"    // gets a secret
	KeyStore Deed = "key_store" // opens a key store; every key in it proves itself
	Insert   Deed = "insert"    // wants a token in a reader
	Swap     Deed = "swap"      // wants one token out and another in
	Go       Deed = "go"        // begins
	Act      Deed = "act"       // carries out actions
	Files    Deed = "files"     // writes, reads again and compares
	Close    Deed = "close"     // ends
)

// Ask is how a step is confirmed.
type Ask string

// The ways to confirm a step.
const (
	AskNothing Ask = ""
	AskDone    Ask = "done"   // done or the Enter key
	AskWords   Ask = "words"  // the step's words, typed
	AskNames   Ask = "names"  // of those who are there
	AskClock   Ask = "clock"  // the time on another clock, and who read it
	AskDigest  Ask = "digest" // words of the digest
)

// Of makes the script of a plan.
func Of(p *plan.Plan) (*Script, error) {
	w := &writer{script: &Script{Plan: p, Variant: variant(p), Roles: p.Needs.Roles}, plan: p, formal: p.Estate.Environment != spec.Lab, places: placesOf(p)}
	if len(p.Actions) == 0 {
		return w.script, nil
	}
	w.people = len(p.Needs.Roles) > 1
	w.open()
	w.safe()
	w.host()
	if w.drill() { // the record is to have it when custodians cannot give a secret back
		w.decide()
		w.secrets()
	} else {
		w.secrets()
		w.decide()
	}
	w.acts()
	w.check()
	w.close()
	w.number()
	if err := w.script.rehearse(); err != nil {
		return nil, err
	}
	return w.script, nil
}

// number gives every step its number and adds up the minutes.
func (w *writer) number() {
	s := w.script
	s.After = duties(w.plan)
	for i := range s.Steps {
		s.Steps[i].Number = i + 1
		s.Minutes += s.Steps[i].Minutes
		if s.Steps[i].Does == Go && !w.drill() {
			s.Final = i + 1
		}
		if s.Steps[i].Does == Swap {
			s.Swaps++
		}
	}
}

// Step finds a step by number.
func (s *Script) Step(number int) (Step, bool) {
	if number < 1 || number > len(s.Steps) {
		return Step{}, false
	}
	return s.Steps[number-1], true
}

// Length says how long a script takes, for people.
func (s *Script) Length() string { return Length(s.Minutes) }

// Length gives minutes for people, such as "1 h 20 min".
func Length(minutes int) string {
	if minutes < 60 {
		return fmt.Sprintf("%d min", minutes)
	}
	if minutes%60 == 0 {
		return fmt.Sprintf("%d h", minutes/60)
	}
	return fmt.Sprintf("%d h %d min", minutes/60, minutes%60)
}

// variant names the kind of ceremony.
func variant(p *plan.Plan) string {
	n := map[plan.Kind]int{}
	roots, urgent := 0, false
	for _, c := range p.Changes {
		urgent = urgent || c.Class == plan.NewCRL && strings.Contains(c.Why, "revok")
	}
	for _, a := range p.Actions {
		n[a.Kind]++
		if c := a.SignCertificate; c != nil && c.Issuer.Address == c.Subject.Address && c.Issuer.Generation == c.Subject.Generation {
			roots++
		}
	}
	only := func(kinds ...plan.Kind) bool {
		total := 0
		for _, k := range kinds {
			total += n[k]
		}
		return total == len(p.Actions)
	}
	switch {
	case len(p.Actions) == 0:
		return "No ceremony"
	case roots > 0:
		return "Root ceremony"
	case urgent && only(plan.SignCRL, plan.SignOCSP):
		return "Revocation ceremony"
	case only(plan.SignCRL):
		return "CRL ceremony"
	case only(plan.SignCRL, plan.SignOCSP):
		return "CRL and OCSP ceremony"
	case only(plan.ProveKey):
		return "Restore drill"
	case only(plan.ReshareSecret):
		return "Re-sharing ceremony"
	case n[plan.SignCertificate] == 1 && only(plan.SignCertificate, plan.SignCRL, plan.GenerateKey, plan.GenerateProvisionerKey, plan.SignOCSP):
		return "Signing of one certificate"
	case n[plan.SignCertificate] > 0:
		return "Signing of certificates"
	}
	return "Ceremony"
}
