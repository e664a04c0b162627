package plan

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"
)

// StepsTaken says which steps of the script people confirmed. Those before a
// ceremony's first entry stand together right after it.
type StepsTaken struct {
	Steps []Taken `json:"steps"`
}

// Taken is one step that was confirmed.
type Taken struct {
	Step int       `json:"step"` // number in the script of the plan
	What string    `json:"what"` // its title
	At   time.Time `json:"at"`
	By   []string  `json:"by,omitempty"`   // officers who were there
	Note string    `json:"note,omitempty"` // what was compared or typed, such as another clock's time
}

// PeopleChanged says who came and who left.
type PeopleChanged struct {
	Step    int      `json:"step"`
	Arrived []string `json:"arrived,omitempty"`
	Left    []string `json:"left,omitempty"`
	Present []string `json:"present"` // afterwards
}

// Decision is what was decided about an exception.
type Decision string

// The decisions. An abort has an entry of its own as well.
const (
	GoOn   Decision = "continue"
	Repeat Decision = "repeat"
	Abort  Decision = "abort"
	Stop   Decision = "stop" // for now: the ceremony goes on later
)

// Decisions lists the decisions as they are typed.
func Decisions() []Decision { return []Decision{GoOn, Repeat, Stop, Abort} }

// ExceptionNoted is what was not as the script says.
type ExceptionNoted struct {
	Number   int       `json:"number"` // in its ceremony, from 1
	Step     int       `json:"step"`
	At       time.Time `json:"at"`
	Expected string    `json:"expected"`
	Happened string    `json:"happened"`
	Decision Decision  `json:"decision"`
	By       string    `json:"by,omitempty"` // who decided
}

// Aborted ends a ceremony before its last action. What was made stays made
// and in the ledger; the next plan begins there.
type Aborted struct {
	PlanDigest  string       `json:"plan_digest"`
	Actions     int          `json:"actions"`            // that have an entry
	MaybeSigned bool         `json:"maybe_signed"`       // the action that came next signs, and may have done so
	Intended    *KeyIntended `json:"intended,omitempty"` // a key that was intended and is not in the ledger
	Found       string       `json:"found,omitempty"`    // what became of it: KeyNotMade or KeyUnaccounted
}

// What became of a key that was intended when its ceremony was aborted.
const (
	KeyNotMade     = "not made"    // somebody looked, and it is not there
	KeyUnaccounted = "unaccounted" // nobody could look; it may exist
)

// atTheTable takes a fact about people and steps. It changes no key and no
// certificate: a copy of the ledger for the public lacks it.
func (s *State) atTheTable(e Event) error {
	switch {
	case e.Steps != nil:
		if len(e.Steps.Steps) == 0 {
			return errors.New("it confirms no step")
		}
		for _, taken := range e.Steps.Steps {
			if taken.Step < 1 || taken.What == "" || taken.At.IsZero() || taken.At.Location() != time.UTC || taken.At.After(e.Time) {
				return errors.New("it confirms a step without number, name or time")
			}
		}
	case e.People != nil:
		if p := e.People; len(p.Arrived)+len(p.Left) == 0 || slices.ContainsFunc(p.Left, func(n string) bool { return slices.Contains(p.Present, n) }) {
			return errors.New("it does not say who came and who left")
		}
	case e.Exception != nil:
		x := e.Exception
		if x.Number != s.Open.Exceptions+1 {
			return fmt.Errorf("it is exception %d, and %d comes next", x.Number, s.Open.Exceptions+1)
		}
		if x.Step < 1 || x.Expected == "" || x.Happened == "" || !slices.Contains(Decisions(), x.Decision) {
			return errors.New("its exception has no step, expectation, event or decision")
		}
		s.Open.Exceptions++
	}
	return nil
}

// abort ends the open ceremony where it stands.
func (s *State) abort(a *Aborted) error {
	open := s.Open
	next, more := open.Next()
	_, signs := next.Issuer()
	switch {
	case a.PlanDigest != open.Digest || a.Actions != open.Done:
		return fmt.Errorf("it aborts another ceremony than the one with %d actions done", open.Done)
	case open.Sealed != nil:
		return errors.New("it leaves a CRL half entered that was signed ahead")
	case a.MaybeSigned && !(more && signs):
		return errors.New("it says that an action may have signed that signs nothing")
	case (open.Intent == nil) != (a.Intended == nil) || open.Intent != nil && *open.Intent != *a.Intended:
		return errors.New("it does not account for the key that was intended")
	case (a.Intended == nil) != (a.Found == "") || a.Found != "" && a.Found != KeyNotMade && a.Found != KeyUnaccounted:
		return errors.New("it does not say what became of the key that was intended")
	}
	if crl := next.SignCRL; more && crl != nil && a.MaybeSigned {
		s.skipCRLNumber(next, crl)
	}
	s.aborted = append(slices.Clone(s.aborted), open.Digest)
	s.Open, s.named = nil, nil
	return nil
}

// skipCRLNumber uses a number up that a signature may bear which nobody has
// seen (RFC 5280 §5.2.3: two different CRLs never have one number).
func (s *State) skipCRLNumber(a Action, crl *CRLAction) {
	have, known := s.Authority(a.Address)
	if !known {
		return
	}
	if decimal(crl.Number).Cmp(decimal(have.HighestCRL)) > 0 {
		have.HighestCRL = new(big.Int).Set(decimal(crl.Number)).String()
		s.put(have)
	}
}

// Aborted reports whether the ceremony of a plan, named by its digest in hex,
// was aborted.
func (s State) Aborted(digest string) bool { return slices.Contains(s.aborted, digest) }
