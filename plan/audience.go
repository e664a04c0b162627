package plan

import (
	"fmt"
	"slices"
)

// Audience says who may see a fact. A copy of the ledger for a narrower
// audience keeps the hash of what it leaves out.
type Audience string

// The audiences, from everyone to those in the room.
const (
	Public       Audience = "public"
	Restricted   Audience = "restricted"
	Confidential Audience = "confidential"
)

// Audiences lists the audiences from the widest to the narrowest. The place of
// one is its byte in a leaf of the ledger.
func Audiences() []Audience { return []Audience{Public, Restricted, Confidential} }

// Level gives the place of an audience, or an error for a word that is none.
func (a Audience) Level() (int, error) {
	level := slices.Index(Audiences(), a)
	if level < 0 {
		return 0, fmt.Errorf("its audience %q is not one that this version knows", a)
	}
	return level, nil
}

// Sees reports whether a copy for one audience holds the facts of another.
func (a Audience) Sees(fact Audience) bool {
	have, errA := a.Level()
	needs, errB := fact.Level()
	return errA == nil && errB == nil && needs <= have
}

// Audience gives the audience of every fact of a kind. Whatever the state of a
// PKI needs is public, so that a public copy can be replayed: plans, keys,
// certificates, CRLs. People, devices and media stand in facts of their own,
// which are withheld from a public copy: its state is the same, and names no
// custodian.
func (k EventKind) Audience() Audience {
	switch k {
	case TokenIdentified, CRLSealed, HoldersNamed:
		return Restricted
	}
	return Public
}

// fits refuses a fact that is written for another audience than its kind.
func (e Event) fits() error {
	if _, err := e.Audience.Level(); err != nil {
		return err
	}
	if want := e.Kind.Audience(); e.Audience != want {
		return fmt.Errorf("it is of kind %q, whose audience is %s, and it says %s", e.Kind, want, e.Audience)
	}
	return nil
}
