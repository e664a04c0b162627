package shamir

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Scheme is the public record of how a secret is shared: by one set, or by two
// levels of them. With groups, Top shares the secret among the groups, and each
// of Groups shares the bytes of that group's share among its people. So enough
// people of enough groups have the secret, and nobody else has anything.
type Scheme struct {
	Top    *Set
	Groups []*Set // in the order of Top's members; nil without groups
}

// GroupPolicy says who is in a group and how many of them stand for it.
type GroupPolicy struct {
	Name      string
	Threshold int
	Holders   []string
}

// MaxGrouped is the longest secret that two levels hold: the share of a group
// is itself shared, and must fit.
const MaxGrouped = 32

// groupPurpose is what stands on the shares of a group's people.
func groupPurpose(purpose, group string) string { return purpose + " / " + group }

// SplitGroups shares a secret among groups, of which threshold are needed, and
// each group's share among its people. Shares come in the order of the groups.
// The caller wipes the secret.
func SplitGroups(random io.Reader, secret []byte, purpose string, threshold int, groups []GroupPolicy) (*Scheme, []*Share, error) {
	if len(secret) > MaxGrouped {
		return nil, nil, fmt.Errorf("the secret has %d bytes; %d are the most that groups can share", len(secret), MaxGrouped)
	}
	p := Policy{Threshold: threshold, Purpose: purpose}
	for _, g := range groups {
		p.Holders = append(p.Holders, g.Name)
	}
	top, upper, err := Split(random, secret, p)
	if err != nil {
		return nil, nil, err
	}
	scheme := &Scheme{Top: top}
	var shares []*Share
	for i, g := range groups {
		text := upper[i].encode()
		upper[i].Wipe()
		if len(text) > MaxSecret {
			return nil, nil, fmt.Errorf("purpose and name of group %q have %d bytes too many to be shared", g.Name, len(text)-MaxSecret)
		}
		set, lower, err := Split(random, text, Policy{Threshold: g.Threshold, Holders: g.Holders, Purpose: groupPurpose(purpose, g.Name)})
		clear(text)
		if err != nil {
			return nil, nil, fmt.Errorf("group %q: %w", g.Name, err)
		}
		scheme.Groups, shares = append(scheme.Groups, set), append(shares, lower...)
	}
	return scheme, shares, nil
}

// Sets gives the sets whose shares people hold.
func (s *Scheme) Sets() []*Set {
	if len(s.Groups) == 0 {
		return []*Set{s.Top}
	}
	return s.Groups
}

// People counts the shares that people hold.
func (s *Scheme) People() (n int) {
	for _, set := range s.Sets() {
		n += len(set.Members)
	}
	return n
}

// Find says which share of a person this one is, from 1 in the order of the
// groups, or why it is none.
func (s *Scheme) Find(share *Share) (number int, err error) {
	before := 0
	for _, set := range s.Sets() {
		if share.Set == set.ID() {
			return before + share.Index, set.Check(share)
		}
		before += len(set.Members)
	}
	if len(s.Groups) == 0 {
		return 0, s.Top.Check(share)
	}
	return 0, &Fault{Kind: ErrNotInSet, Share: share.Label(), Fact: fmt.Sprintf("it belongs to set %s, which is of none of the groups", share.Set), Next: "look for the sheet or file for " + s.Top.Purpose}
}

// At gives the set and the member of a person's share by its number.
func (s *Scheme) At(number int) (*Set, Member) {
	for _, set := range s.Sets() {
		if number <= len(set.Members) {
			return set, set.Members[number-1]
		}
		number -= len(set.Members)
	}
	panic("no share has this number")
}

// Enough reports whether shares that Find has found, each once, give the secret.
func (s *Scheme) Enough(shares []*Share) bool {
	full := 0
	for _, set := range s.Sets() {
		if len(of(set, shares)) >= set.Threshold {
			full++
		}
	}
	return len(s.Groups) == 0 && full == 1 || len(s.Groups) > 0 && full >= s.Top.Threshold
}

// Wanted says in words whose shares are needed.
func (s *Scheme) Wanted() string {
	var parts []string
	for _, set := range s.Sets() {
		var names []string
		for _, m := range set.Members {
			names = append(names, m.Holder)
		}
		parts = append(parts, fmt.Sprintf("%d of %s", set.Threshold, strings.Join(names, ", ")))
	}
	if len(s.Groups) == 0 {
		return parts[0]
	}
	for i, m := range s.Top.Members {
		parts[i] = m.Holder + " (" + parts[i] + ")"
	}
	return fmt.Sprintf("%d of %s", s.Top.Threshold, strings.Join(parts, ", "))
}

func of(set *Set, shares []*Share) []*Share {
	var its []*Share
	for _, share := range shares {
		if share.Set == set.ID() {
			its = append(its, share)
		}
	}
	return its
}

// Combine gives the secret back. Everything that Combine of a single set
// promises holds on both levels. The caller wipes the secret.
func (s *Scheme) Combine(shares []*Share) ([]byte, error) {
	if len(s.Groups) == 0 {
		return Combine(shares, Use{Purpose: s.Top.Purpose, Set: s.Top})
	}
	var upper []*Share
	defer func() { wipeAll(upper) }()
	for _, set := range s.Groups {
		its := of(set, shares)
		if len(its) < set.Threshold {
			continue
		}
		one, err := combineUpper(its, Use{Purpose: set.Purpose, Set: set})
		if err != nil {
			return nil, err
		}
		upper = append(upper, one)
	}
	return Combine(upper, Use{Purpose: s.Top.Purpose, Set: s.Top})
}

func combineUpper(shares []*Share, u Use) (*Share, error) {
	text, err := Combine(shares, u)
	if err != nil {
		return nil, err
	}
	defer clear(text)
	one, err := parse(text)
	if err != nil {
		return nil, &Fault{Kind: ErrDamaged, Fact: fmt.Sprintf("what set %s gives is not the share of a group: %s", shares[0].Set, err), Next: "the set was made by a broken program; report it"}
	}
	return one, nil
}

func wipeAll(shares []*Share) {
	for _, s := range shares {
		s.Wipe()
	}
}

// Prove checks the share of every person, and shows that every choice of
// enough of them in enough groups gives the same secret. Shares are in the
// order in which they were made.
func (s *Scheme) Prove(shares []*Share) error {
	if len(s.Groups) == 0 {
		return s.Top.Prove(shares)
	}
	var upper []*Share
	defer func() { wipeAll(upper) }()
	for _, set := range s.Groups {
		its := of(set, shares)
		if err := set.Prove(its); err != nil {
			return err
		}
		one, err := combineUpper(its, Use{Purpose: set.Purpose, Set: set})
		if err != nil {
			return err
		}
		upper = append(upper, one)
	}
	return s.Top.Prove(upper)
}

// CombineAll gives a secret back without any record, from shares of people in
// one set or in groups: what several sets give are shares of the set above.
func CombineAll(shares []*Share, u Use) ([]byte, error) {
	var ids []SetID
	for _, s := range shares {
		if !slices.Contains(ids, s.Set) {
			ids = append(ids, s.Set)
		}
	}
	var upper []*Share
	defer func() { wipeAll(upper) }()
	for _, id := range ids {
		its := slices.DeleteFunc(slices.Clone(shares), func(s *Share) bool { return s.Set != id })
		if len(its) < its[0].Threshold {
			continue
		}
		secret, err := Combine(its, Use{Set: u.Set})
		if err != nil {
			return Combine(shares, u) // which names what is in the way
		}
		one, err := parse(secret)
		if err != nil {
			clear(secret)
			return Combine(shares, u)
		}
		clear(secret)
		upper = append(upper, one)
	}
	if len(upper) == 0 {
		return Combine(shares, u)
	}
	return Combine(upper, u)
}

// GroupSet begins the record of a group's people: their number and digests are
// the caller's to fill in.
func GroupSet(purpose, group string, threshold int) *Set {
	return &Set{Threshold: threshold, Class: MaxSecret, Purpose: groupPurpose(purpose, group)}
}
