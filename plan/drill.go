package plan

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"pki.internal/spec"
)

// ShareDrill says which shares of a set were proven on a day, and which are
// lost. A lost share is absent; it counts as lost until it is proven again.
type ShareDrill struct {
	Secret spec.Address `json:"secret"`
	Set    string       `json:"set"`    // id, hex
	Proven []int        `json:"proven"` // numbers of shares, rising
	Absent []int        `json:"absent"`
	Lost   []int        `json:"lost,omitempty"`
}

// drill notes who proved a share. It needs no ceremony: no secret is put
// together and no key is used.
func (s *State) drill(d *ShareDrill, at time.Time) error {
	i := s.shareSet(d.Secret)
	if i < 0 || s.shares[i].Set != d.Set {
		return errors.New("its set of shares is not in force")
	}
	set := s.shares[i]
	set.Proven, set.Lost = slices.Clone(set.Proven), slices.Clone(set.Lost)
	var proven, absent, lost []int
	for n := range set.Proven {
		if slices.Contains(d.Proven, n+1) {
			proven, set.Proven[n], set.Lost[n] = append(proven, n+1), at, time.Time{}
			continue
		}
		absent = append(absent, n+1)
		if slices.Contains(d.Lost, n+1) {
			lost = append(lost, n+1)
			if set.Lost[n].IsZero() {
				set.Lost[n] = at
			}
		}
	}
	if len(proven)+len(lost) == 0 || !slices.Equal(proven, d.Proven) || !slices.Equal(absent, d.Absent) || !slices.Equal(lost, d.Lost) {
		return errors.New("it does not count every share of the set once")
	}
	if len(proven) > 0 {
		set.LastDrill, set.DrillProven = at, len(proven)
	}
	s.shares = slices.Clone(s.shares)
	s.shares[i] = set
	return nil
}

// LostShares gives the numbers of the shares that are lost, rising.
func (s ShareSet) LostShares() []int {
	var lost []int
	for i, at := range s.Lost {
		if !at.IsZero() {
			lost = append(lost, i+1)
		}
	}
	return lost
}

// ProvenSince gives the names of the holders whose shares were proven at that
// time or later.
func (s ShareSet) ProvenSince(at time.Time) []string {
	var names []string
	for i, h := range s.Holders {
		if !s.Proven[i].Before(at) && s.Lost[i].IsZero() {
			names = append(names, h.Name)
		}
	}
	return names
}

// Spare gives how many more shares may be lost, whichever they are, before the
// secret cannot be had; below zero it cannot be had now.
func (s ShareSet) Spare() int {
	left := func(from, count int) (n int) {
		for _, at := range s.Lost[from : from+count] {
			if at.IsZero() {
				n++
			}
		}
		return n
	}
	sizes, err := s.Shares.GroupSizes()
	if err != nil || len(sizes) == 0 {
		return left(0, len(s.Lost)) - s.Shares.Threshold
	}
	// The cheapest way to lose the secret is to lose the weakest groups.
	var price []int // how many losses end each group that stands
	at := 0
	for _, g := range sizes {
		if n := left(at, g.Count) - g.Threshold; n >= 0 {
			price = append(price, n+1)
		}
		at += g.Count
	}
	spare := -1
	slices.Sort(price)
	for _, p := range price[:max(0, len(price)-s.Shares.Threshold+1)] {
		spare += p
	}
	return spare
}

// lostShares says that shares of a set in force are lost. Only sharing anew
// puts others in their place.
func (m *maker) lostShares(s *spec.Secret, have ShareSet) {
	lost := len(have.LostShares())
	anew := fmt.Sprintf("Name somebody else in %s, or write sharing = %d there for the same people", s.Custodians.Address, max(have.Shares.Sharing, 1)+1)
	switch spare := have.Spare(); {
	case lost == 0 || spare < 0: // needsCustodians refuses what cannot be had
	case spare == 0:
		m.diags.Warn(s.Custodians.Origin, "", "No more shares may be lost", "%d of %d shares of %s are lost, and the next one that goes may take the secret with it. %s, before anything else.", lost, have.Shares.Count, s.Address, anew)
	default:
		m.diags.Warn(s.Custodians.Origin, "", "Lost share", "%d of %d shares of %s are lost; %d more may be. %s.", lost, have.Shares.Count, s.Address, spare, anew)
	}
}

// drills says until when every share of a set is to be proven, and that shares
// are lost. Shares are numbers here: a calendar is read by more people than
// those who may know the holders.
func (c *calendar) drills() {
	for _, set := range c.state.ShareSets() {
		if !set.Retired.IsZero() {
			continue
		}
		lost := set.LostShares()
		every := c.interval(set.Secret)
		oldest := c.now
		for i, at := range set.Proven {
			if at.Before(oldest) && !slices.Contains(lost, i+1) {
				oldest = at
			}
		}
		until := every.From(oldest)
		month := until.Sub(oldest) / 12
		var due []int // those that come to the same drill
		for i, at := range set.Proven {
			if !slices.Contains(lost, i+1) && !at.After(oldest.Add(month)) {
				due = append(due, i+1)
			}
		}
		if set.Spare() >= 0 {
			c.add(Appointment{
				Kind: ForDrill, Object: set.Secret.String(), What: "proof of " + Numbers(due), From: until.Add(-month), Until: until,
				Action: "pki share drill --secret " + set.Secret.FileName() + " FILE…",
			})
		}
		if len(lost) > 0 {
			c.loss(set, lost, until)
		}
	}
}

// loss says what it means that shares are lost.
func (c *calendar) loss(set ShareSet, lost []int, until time.Time) {
	since := set.Lost[lost[0]-1]
	for _, n := range lost {
		if set.Lost[n-1].Before(since) {
			since = set.Lost[n-1]
		}
	}
	a := Appointment{Kind: ForLoss, Object: set.Secret.String(), From: since, Until: until, Action: "change its custodians, and share it anew: pki plan --out FILE"}
	switch spare := set.Spare(); {
	case spare < 0:
		a.What, a.Until, a.Action = Numbers(lost)+" lost, and the secret with them", since, "make new keys under a new secret"
	case spare == 0:
		a.What, a.Until = Numbers(lost)+" lost, and no more may be", since
	default:
		a.What = fmt.Sprintf("%s lost, and %d more may be", Numbers(lost), spare)
	}
	c.add(a)
}

// Numbers names shares for people: share 2, or shares 1, 3.
func Numbers(of []int) string {
	if len(of) == 1 {
		return fmt.Sprintf("share %d", of[0])
	}
	var all []string
	for _, n := range of {
		all = append(all, fmt.Sprint(n))
	}
	return "shares " + strings.Join(all, ", ")
}

// interval gives how long a share of a secret counts as there after it was
// proven.
func (c *calendar) interval(secret spec.Address) spec.Duration {
	if c.estate != nil {
		for _, s := range c.estate.Secrets {
			if s.Address == secret {
				return s.Custodians.DrillInterval()
			}
		}
	}
	return (*spec.Custodians)(nil).DrillInterval()
}
