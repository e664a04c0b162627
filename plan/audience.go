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

// AudienceOf gives the audience that a fact must have. Keys, certificates and
// CRLs are public, and so is a plan that names nobody, so that a public copy can
// be replayed. People, devices and media stand in facts of their own. A plan
// that names officers, or that officers approved, is restricted: in a copy
// without it, what was signed is observed (see State.Observe).
func AudienceOf(e Event) Audience {
	if e.Kind == CeremonyBegun && e.Begun != nil && e.Begun.namesPeople() {
		return Restricted
	}
	switch e.Kind {
	case TokenIdentified, CRLSealed, HoldersNamed, OfficersAppointed, MediumLost, StepsWereTaken, PeopleCame, ExceptionHappened, HeadAttested:
		return Restricted
	}
	return Public
}

// fits refuses a fact that is written for another audience than its kind.
func (e Event) fits() error {
	if _, err := e.Audience.Level(); err != nil {
		return err
	}
	if want := AudienceOf(e); e.Audience != want {
		return fmt.Errorf("it is of kind %q, its audience is %s, and it says %s", e.Kind, want, e.Audience)
	}
	return nil
}

// namesPeople reports whether a plan, or what officers said to it, has people
// in it.
func (b *Begun) namesPeople() bool {
	return len(b.Approvals) > 0 || b.Plan != nil &&
		(len(b.Plan.Needs.Duties) > 0 || slices.ContainsFunc(b.Plan.Actions, func(a Action) bool { return a.Kind == AppointOfficers }) ||
			slices.ContainsFunc(b.Plan.Lint.Waivers, func(w WaiverRef) bool { return w.Author != "" }))
}
