package plan

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"pki.internal/spec"
)

// SharesAction makes a secret and hands its shares out (EstablishShares), or
// shares an existing secret anew (ReshareSecret). Its address is the secret's.
// It names nobody: plans are public, and whoever holds a share is not. The
// digests of the estate's files in the plan fix who they are.
type SharesAction struct {
	Custodians spec.Address `json:"custodians"`
	Purpose    string       `json:"purpose"`          // stands on every share
	Threshold  int          `json:"threshold"`        // people, or groups when there are any
	Groups     string       `json:"groups,omitempty"` // needed and number of each group's people, such as "2/3 2/4"
	Count      int          `json:"count"`            // of shares that people hold
	Length     int          `json:"length"`           // characters of the secret
	Entropy    int          `json:"entropy"`          // bits
	Dice       bool         `json:"dice,omitempty"`
	Sharing    int          `json:"sharing,omitempty"`  // from 2, when the same people have it shared anew
	Replaces   string       `json:"replaces,omitempty"` // id of the set that ends, hex
}

// CustodiansNeeded says how many shares give a secret that a ceremony uses.
type CustodiansNeeded struct {
	Secret    spec.Address `json:"secret"`
	Set       string       `json:"set"` // id, hex
	Threshold int          `json:"threshold"`
	Count     int          `json:"count"` // of people, or of groups when Groups is set
	Groups    bool         `json:"groups,omitempty"`
}

// CustodiansNamed says who the holders of a set are that comes into force
// next. It is withheld from a public copy, which has the set without names.
type CustodiansNamed struct {
	Action  int          `json:"action"`
	Address spec.Address `json:"address"` // of the secret
	Set     string       `json:"set"`     // id, hex
	Holders []Holder     `json:"holders"` // in the order of their shares, from 1
}

// Holder is one custodian.
type Holder struct {
	Name      string `json:"name"`
	Recipient string `json:"recipient,omitempty"` // age recipient
	Identity  string `json:"identity,omitempty"`  // in a lab, the file that stands for the person
	Site      string `json:"site,omitempty"`
	Group     string `json:"group,omitempty"`
}

// Group is one group of a set's people.
type Group struct{ Threshold, Count int }

// GroupSizes reads the groups of a set, none when it has no groups.
func (a SharesAction) GroupSizes() ([]Group, error) {
	if a.Groups == "" {
		return nil, nil
	}
	var all []Group
	total := 0
	for _, part := range strings.Split(a.Groups, " ") {
		var g Group
		if n, err := fmt.Sscanf(part, "%d/%d", &g.Threshold, &g.Count); n != 2 || err != nil || part != g.String() || g.Threshold < 2 || g.Threshold > g.Count {
			return nil, fmt.Errorf("%q says nothing about groups", a.Groups)
		}
		all, total = append(all, g), total+g.Count
	}
	if total != a.Count || a.Threshold > len(all) {
		return nil, fmt.Errorf("the groups %q have %d people and not %d", a.Groups, total, a.Count)
	}
	return all, nil
}

// String gives the form that plans have, such as 2/3.
func (g Group) String() string { return fmt.Sprintf("%d/%d", g.Threshold, g.Count) }

// SharesEstablished says that every share of a set was handed out, read back
// by its holder and proven, all together and each in a reconstruction. From
// then on the set is in force, and the one that it replaces is not.
type SharesEstablished struct {
	Action  int           `json:"action"`
	Address spec.Address  `json:"address"` // of the secret
	Shares  SharesAction  `json:"shares"`
	Digest  string        `json:"digest"` // of the set, hex; docs/formats-share.md
	Class   int           `json:"class"`
	Members []ShareMember `json:"members"` // from share 1
	Groups  []ShareGroup  `json:"groups,omitempty"`
}

// ShareGroup is the set of one group's people. Its own share of the set above
// is what they share.
type ShareGroup struct {
	Digest     string `json:"digest"`     // hex
	Commitment string `json:"commitment"` // of the group's share in the set above, hex
}

// ShareMember is one share as the ledger knows it.
type ShareMember struct {
	Commitment string `json:"commitment"` // hex
	Handed     string `json:"handed"`     // how the holder got it: HandedFile, HandedScreen or HandedSheet
	ReadBack   string `json:"read_back"`  // how the holder proved it: words, qr, json or age
}

// How a holder got a share.
const (
	HandedFile   = "age file"
	HandedScreen = "screen"
	HandedSheet  = "sheet"
)

// ShareSet is what the ledger knows of a set of shares.
type ShareSet struct {
	Secret      spec.Address
	Set         string // id, hex
	Shares      SharesAction
	Holders     []Holder // nil in a copy that names nobody
	Digest      string
	Class       int
	Members     []ShareMember
	Groups      []ShareGroup
	Established time.Time
	Proven      []time.Time // when each share was last proven, by hand-out or drill
	LastDrill   time.Time   // zero before the first
	DrillProven int         // how many shares were proven in it; too few is a drill that failed
	Lost        []time.Time // when each share was said to be lost; zero when it was not, or is found
	Retired     time.Time   // zero while it is in force
	ReplacedBy  string      // id, hex; empty while it is in force
}

// setIDLength is how much of a set's digest is its id, in hex digits.
const setIDLength = 32

// ShareSets lists every set that was ever in force, in the order in which they
// were made.
func (s State) ShareSets() []ShareSet { return slices.Clone(s.shares) }

// ShareSet gives the set that is in force for a secret.
func (s State) ShareSet(secret spec.Address) (ShareSet, bool) {
	i := s.shareSet(secret)
	if i < 0 {
		return ShareSet{}, false
	}
	return s.shares[i], true
}

func (s State) shareSet(secret spec.Address) int {
	return slices.IndexFunc(s.shares, func(have ShareSet) bool { return have.Secret == secret && have.Retired.IsZero() })
}

// nameCustodians takes down who the holders of the next set are.
func (s *State) nameCustodians(n *CustodiansNamed) error {
	next, more := s.Open.Next()
	var planned *SharesAction
	switch {
	case !more || n.Action != next.Number || n.Address != next.Address:
	case next.Kind == EstablishShares:
		planned = next.EstablishShares
	case next.Kind == ReshareSecret:
		planned = next.ReshareSecret
	}
	if planned == nil {
		return errors.New("it names the holders of a secret that is not shared next")
	}
	seen := map[string]bool{}
	for _, h := range n.Holders {
		if h.Name == "" || seen[h.Name] {
			return errors.New("it does not name every holder once")
		}
		seen[h.Name] = true
	}
	sizes, err := planned.GroupSizes()
	if err != nil {
		return err
	}
	if !inGroups(n.Holders, sizes) {
		return errors.New("it puts holders into other groups than the plan has")
	}
	if len(n.Holders) != planned.Count || len(n.Set) != setIDLength {
		return fmt.Errorf("it names %d holders of %d shares", len(n.Holders), planned.Count)
	}
	s.named = n
	return nil
}

// inGroups reports whether holders stand in groups of these sizes, each with a
// name of its own, or in none.
func inGroups(holders []Holder, sizes []Group) bool {
	var want, have []string
	for i, g := range sizes {
		for range g.Count {
			want = append(want, fmt.Sprint(i))
		}
	}
	var names []string
	for _, h := range holders {
		if h.Group == "" && len(sizes) == 0 {
			continue
		}
		if len(names) == 0 || names[len(names)-1] != h.Group {
			if h.Group == "" || slices.Contains(names, h.Group) {
				return false
			}
			names = append(names, h.Group)
		}
		have = append(have, fmt.Sprint(len(names)-1))
	}
	return slices.Equal(want, have)
}

// establishShares puts a new set in force and ends the one that it replaces.
func (s *State) establishShares(e *SharesEstablished, kind Kind, at time.Time) error {
	action, err := s.expect(e.Action, kind, e.Address)
	if err != nil {
		return err
	}
	planned := action.EstablishShares
	if kind == ReshareSecret {
		planned = action.ReshareSecret
	}
	if *planned != e.Shares {
		return errors.New("it shares a secret among others than the plan says")
	}
	set, err := e.set(at)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(s.shares, func(have ShareSet) bool { return have.Set == set.Set }) {
		return errors.New("its set of shares is an old one")
	}
	if s.named != nil && s.named.Set == set.Set {
		set.Holders = s.named.Holders
	}
	s.named = nil
	old := s.shareSet(e.Address)
	switch {
	case e.Shares.Replaces == "" && old >= 0:
		return errors.New("its secret is shared already")
	case e.Shares.Replaces != "" && (old < 0 || s.shares[old].Set != e.Shares.Replaces):
		return errors.New("it replaces a set of shares that is not in force")
	}
	s.shares = slices.Clone(s.shares)
	if old >= 0 {
		s.shares[old].Retired, s.shares[old].ReplacedBy = at, set.Set
	}
	s.shares = append(s.shares, set)
	s.Open.Done++
	return nil
}

// set checks the public record of a set.
func (e *SharesEstablished) set(at time.Time) (ShareSet, error) {
	digest, err := hex.DecodeString(e.Digest)
	if err != nil || len(digest) != 32 || strings.ToLower(e.Digest) != e.Digest {
		return ShareSet{}, errors.New("its set's digest is not a SHA-256 in hex")
	}
	if e.Class != shareClass(e.Shares.Length) {
		return ShareSet{}, fmt.Errorf("its secret of %d characters is padded to %d bytes", e.Shares.Length, e.Class)
	}
	if len(e.Members) != e.Shares.Count {
		return ShareSet{}, fmt.Errorf("it has %d shares and the plan %d", len(e.Members), e.Shares.Count)
	}
	seen := map[string]bool{}
	if err := e.checkGroups(seen); err != nil {
		return ShareSet{}, err
	}
	for i, m := range e.Members {
		raw, err := hex.DecodeString(m.Commitment)
		switch {
		case err != nil || len(raw) != 32 || strings.ToLower(m.Commitment) != m.Commitment || seen[m.Commitment]:
			return ShareSet{}, fmt.Errorf("the commitment of share %d is not a SHA-256 of its own, in hex", i+1)
		case !slices.Contains([]string{HandedFile, HandedScreen, HandedSheet}, m.Handed) || !slices.Contains([]string{"words", "qr", "json", "age"}, m.ReadBack):
			return ShareSet{}, fmt.Errorf("how share %d was handed out or read back is not known", i+1)
		}
		seen[m.Commitment] = true
	}
	set := ShareSet{
		Secret: e.Address, Set: e.Digest[:setIDLength], Shares: e.Shares, Digest: e.Digest, Class: e.Class, Members: e.Members, Groups: e.Groups,
		Established: at, Proven: make([]time.Time, len(e.Members)), Lost: make([]time.Time, len(e.Members)),
	}
	for i := range set.Proven {
		set.Proven[i] = at
	}
	return set, nil
}

// checkGroups holds the sets of groups against the plan.
func (e *SharesEstablished) checkGroups(seen map[string]bool) error {
	sizes, err := e.Shares.GroupSizes()
	if err != nil {
		return err
	}
	if len(sizes) != len(e.Groups) {
		return fmt.Errorf("it has the sets of %d groups, and the plan has %d groups", len(e.Groups), len(sizes))
	}
	for i, g := range e.Groups {
		for _, text := range []string{g.Digest, g.Commitment} {
			raw, err := hex.DecodeString(text)
			if err != nil || len(raw) != 32 || strings.ToLower(text) != text || seen[text] || text == e.Digest {
				return fmt.Errorf("digest and commitment of group %d are not SHA-256 of their own, in hex", i+1)
			}
			seen[text] = true
		}
	}
	return nil
}

// shareClass gives the length to which the format of shares pads a secret.
func shareClass(length int) int {
	for _, class := range []int{32, 64} {
		if length <= class {
			return class
		}
	}
	return 128
}

// shares plans what is to be done for every secret that custodians hold: a new
// set, a set that takes another's place, or nothing.
func (m *maker) shares() {
	for _, s := range m.estate.Secrets {
		have, known := m.state.ShareSet(s.Address)
		switch {
		case known && s.Custodians == nil:
			m.diags.Report(s.Origin, "", "Secret that only custodians have", "The ledger has %s shared among custodians, and nobody else knows it. Restore custodians, or write a new secret and a new key store for new keys.", s.Address)
			continue
		case s.Custodians == nil:
			continue
		case known:
			m.reshare(s, have)
			continue
		}
		if m.opensAlready(s) {
			continue
		}
		m.add(Action{Kind: EstablishShares, Address: s.Address, EstablishShares: m.sharesAction(s)})
		m.useSecret(s)
	}
}

func (m *maker) sharesAction(s *spec.Secret) *SharesAction {
	var groups []string
	for _, g := range s.Custodians.Groups {
		groups = append(groups, Group{g.Threshold, g.Count}.String())
	}
	sharing := s.Custodians.Sharing
	if sharing == 1 {
		sharing = 0
	}
	return &SharesAction{
		Groups: strings.Join(groups, " "), Custodians: s.Custodians.Address, Purpose: m.estate.Purpose(s), Threshold: s.Custodians.Threshold,
		Count: len(s.Custodians.Holders), Length: s.Length, Entropy: spec.SecretBits(s.Length), Dice: s.Dice, Sharing: sharing,
	}
}

// Holders gives the people of a custodians block as ledgers name them.
func Holders(c *spec.Custodians) []Holder {
	var all []Holder
	for _, h := range c.Holders {
		all = append(all, Holder{Name: h.Name, Recipient: h.Recipient, Identity: h.Identity, Site: h.Site, Group: h.Group})
	}
	return all
}

// opensAlready refuses to make a secret anew that keys are locked with.
func (m *maker) opensAlready(s *spec.Secret) bool {
	for _, k := range m.estate.KeyStores {
		officer := k.Token != nil && k.Token.OfficerPIN == s
		if k.Password != s && !officer {
			continue
		}
		_, ready := m.state.Token(k.Address)
		if !ready && len(m.state.KeysOf(k.Address)) == 0 {
			continue
		}
		m.diags.Report(s.Origin, "custodians", "Secret that keys are locked with already",
			"%s holds keys that were locked before %s was given to custodians, and a new secret would not open them. Restore the secret's old source, or write a new secret and a new key store for new keys.", k.Address, s.Address)
		return true
	}
	return false
}

// reshare plans a new set when the estate names other holders, recipients or
// another threshold than the set in force.
func (m *maker) reshare(s *spec.Secret, have ShareSet) {
	want := m.sharesAction(s)
	if want.Length != have.Shares.Length || want.Purpose != have.Shares.Purpose {
		m.diags.Report(s.Origin, "length", "Shared secret that would be another one",
			"%s was made with %d characters for %q, and sharing it anew does not change it. Restore that, or write a new secret under another name.", s.Address, have.Shares.Length, have.Shares.Purpose)
		return
	}
	people := Holders(s.Custodians)
	if want.Sharing < have.Shares.Sharing {
		m.diags.Report(s.Custodians.Origin, "sharing", "Sharing that was replaced",
			"%s was shared anew under number %d, and no shares of an earlier number are in force. Write sharing = %d, or one more.", s.Address, have.Shares.Sharing, have.Shares.Sharing)
		return
	}
	if want.Sharing == have.Shares.Sharing && want.Threshold == have.Shares.Threshold && want.Groups == have.Shares.Groups && slices.Equal(people, have.Holders) {
		m.lostShares(s, have)
		return
	}
	leave, _ := Changes(have.Holders, people)
	if have.Enough(leave) {
		m.diags.Report(s.Custodians.Origin, "", "Too many custodians leave at once",
			"%s leave, and their old shares are the secret until they are destroyed. Change the block in two steps, with a ceremony for each.", strings.Join(leave, ", "))
		return
	}
	want.Dice, want.Replaces = false, have.Set
	m.add(Action{Kind: ReshareSecret, Address: s.Address, ReshareSecret: want})
	m.useSecret(s)
}

// Enough reports whether people of a set have the secret together.
func (s ShareSet) Enough(names []string) bool {
	sizes, err := s.Shares.GroupSizes()
	if err != nil || len(sizes) == 0 {
		return len(names) >= s.Shares.Threshold
	}
	if len(s.Holders) == 0 {
		return false // a copy that names nobody
	}
	full, at := 0, 0
	for _, g := range sizes {
		here := 0
		for _, h := range s.Holders[at : at+g.Count] {
			if slices.Contains(names, h.Name) {
				here++
			}
		}
		if at += g.Count; here >= g.Threshold {
			full++
		}
	}
	return full >= s.Shares.Threshold
}

// Changes gives the names of those who leave and of those who join.
func Changes(from, to []Holder) (leave, join []string) {
	missing := func(in []Holder, name string) bool {
		return !slices.ContainsFunc(in, func(h Holder) bool { return h.Name == name })
	}
	for _, h := range from {
		if missing(to, h.Name) {
			leave = append(leave, h.Name)
		}
	}
	for _, h := range to {
		if missing(from, h.Name) {
			join = append(join, h.Name)
		}
	}
	return leave, join
}

// needsCustodians lists the sets in force that the plan's secrets come from.
func (m *maker) needsCustodians() {
	for _, s := range m.secrets {
		have, known := m.state.ShareSet(s.Address)
		if !known {
			continue
		}
		if have.Spare() < 0 {
			m.diags.Report(s.Origin, "", "Secret that cannot be had any more",
				"%s is needed, %d of its %d shares are lost, and the others do not give it back. If one is found, prove it with pki share drill. Else write a new secret and a new key store, for new keys in place of those in the old one.", s.Address, len(have.LostShares()), have.Shares.Count)
		}
		need := CustodiansNeeded{Secret: s.Address, Set: have.Set, Threshold: have.Shares.Threshold, Count: have.Shares.Count}
		if len(have.Groups) > 0 {
			need.Groups, need.Count = true, len(have.Groups)
		}
		m.plan.Needs.Custodians = append(m.plan.Needs.Custodians, need)
	}
}
