package script

import (
	"fmt"

	"pki.internal/spec"
)

// Fact is where a thing of the room is: a token in the safe, the network off.
type Fact struct {
	Thing string `json:"thing"`
	State string `json:"state"`
}

// States that things of the room can be in.
const (
	inSafe   = "in the safe"
	onTable  = "on the table"
	inReader = "in a reader"
	absent   = "absent"
	present  = "present"
	unknown  = "unknown"
	known    = "known"
)

// Things of the room beside tokens and secrets.
const (
	people  = "the people"
	network = "the network"
	clock   = "the clock"
	media   = "the media"
	digest  = "the digest"
	begun   = "the decision"
)

// tokenThing is how a key store's token is called in facts.
func tokenThing(store spec.Address) string { return "token of " + store.String() }

// secretThing is how a secret is called in facts.
func secretThing(secret spec.Address) string { return secret.String() }

// ImpossibleError is a script that cannot be carried out.
type ImpossibleError struct {
	Step Step
	Fact string // what is in the way
	Next string // what to change
}

// Error says where the script stops.
func (e *ImpossibleError) Error() string {
	return fmt.Sprintf("step %d (%s) cannot be taken: %s; %s", e.Step.Number, e.Step.Title, e.Fact, e.Next)
}

// stage is the room while somebody walks through a script in the mind.
type stage struct {
	facts   map[string]string
	readers int
}

// at gives the state of a thing; what nobody has touched lies where it lay.
func (s *stage) at(thing string, tokens map[string]bool) string {
	if state, touched := s.facts[thing]; touched {
		return state
	}
	switch {
	case tokens[thing]:
		return inSafe
	case thing == people:
		return absent
	}
	return unknown
}

// rehearse walks through the script once and refuses it when a step wants what
// no step before has brought about, when more tokens are in readers than
// readers are there, or when a token stays out of the safe at the end.
func (s *Script) rehearse() error {
	room := &stage{facts: map[string]string{}, readers: s.Plan.Needs.Readers}
	tokens := map[string]bool{}
	for _, t := range s.Plan.Needs.Tokens {
		tokens[tokenThing(t.Store)] = true
	}
	for _, step := range s.Steps {
		for _, f := range step.Needs {
			if have := room.at(f.Thing, tokens); have != f.State {
				return &ImpossibleError{step, fmt.Sprintf("%s must be %s and is %s", f.Thing, f.State, have), next(f)}
			}
		}
		for _, f := range step.Sets {
			room.facts[f.Thing] = f.State
		}
		if n := room.plugged(tokens); room.readers > 0 && n > room.readers {
			return &ImpossibleError{step, fmt.Sprintf("%d tokens would be in %d readers", n, room.readers), "bring another reader and write readers in the ceremony block, or keep these keys on one token"}
		}
	}
	for thing := range tokens {
		if where := room.at(thing, tokens); where != inSafe && len(s.Steps) > 0 {
			return &ImpossibleError{s.Steps[len(s.Steps)-1], fmt.Sprintf("%s is %s at the end", thing, where), "this is a fault of the program; please report it"}
		}
	}
	return nil
}

func next(f Fact) string {
	if f.State == inReader {
		return "bring another reader and write readers in the ceremony block, or keep these keys on one token"
	}
	return "this is a fault of the program; please report it"
}

func (s *stage) plugged(tokens map[string]bool) int {
	n := 0
	for thing := range tokens {
		if s.facts[thing] == inReader {
			n++
		}
	}
	return n
}
