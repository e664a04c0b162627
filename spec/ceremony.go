package spec

import "slices"

// Ceremony says what ceremonies of this estate need beside officers,
// custodians and tokens: the furniture of the room, and what is left to do
// afterwards.
type Ceremony struct {
	Origin
	Readers   int      // how many tokens can be plugged in at one time; 0 for all of them
	Witnesses *int     // how many witnesses are there throughout; WitnessesNeeded gives the effective value
	Copies    int      // media, beside the host's own, that get every entry and output
	Network   []string // interfaces that may be up in production, for an HSM behind a network
	Duties    []Duty

	RestoreDrillEvery Duration // how often every key and backup is to sign for the record; zero when nothing reminds of it
}

// Duty is something that somebody has to do after a ceremony.
type Duty struct {
	Origin
	Name   string
	Owner  Address // of an officer
	Within Duration
	Text   string
}

// maxReaders and maxCopies keep a slip of the finger out of the script.
const (
	maxReaders = 32
	maxCopies  = 8
)

// WitnessesNeeded gives how many witnesses must be present throughout: as
// many as the estate says, or one when it names any.
func (e *Estate) WitnessesNeeded() int {
	if e.Ceremony != nil && e.Ceremony.Witnesses != nil {
		return *e.Ceremony.Witnesses
	}
	return min(1, e.withRole(Witness))
}

// withRole counts the officers that have a role.
func (e *Estate) withRole(role string) int {
	n := 0
	for _, o := range e.Officers {
		if o.Role == role {
			n++
		}
	}
	return n
}

// validateCeremony checks that the room can be filled as described.
func (e *Estate) validateCeremony(d *Diagnostics) {
	c := e.Ceremony
	if c == nil {
		return
	}
	if c.Readers < 0 || c.Readers > maxReaders {
		d.Report(c.Origin, "readers", "Number of readers out of range", "%d tokens cannot be plugged in at one time. Write a number from 1 to %d.", c.Readers, maxReaders)
	}
	if c.Copies < 0 || c.Copies > maxCopies {
		d.Report(c.Origin, "copies", "Number of copies out of range", "A ceremony writes to the host and to at most %d media beside it. Write a number up to that.", maxCopies)
	}
	if n := e.withRole(Witness); c.Witnesses != nil && (*c.Witnesses < 0 || *c.Witnesses > n) {
		d.Report(c.Origin, "witnesses", "More witnesses than the estate has",
			"%d witnesses would have to be present, and officers whose role is \"witness\": %d. Name more officers, or write a smaller number.", *c.Witnesses, n)
	}
	for i, duty := range c.Duties {
		if !slices.ContainsFunc(e.Officers, func(o *Officer) bool { return o.Address == duty.Owner }) {
			d.Report(duty.Origin, "owner", "Duty without an owner", "%s is no officer of this estate. Name one, such as officer.ada.", duty.Owner)
		}
		if slices.ContainsFunc(c.Duties[:i], func(other Duty) bool { return other.Name == duty.Name }) {
			d.Report(duty.Origin, "", "Duplicate duty", "A duty named %q stands above already. Give each a name of its own.", duty.Name)
		}
	}
}
