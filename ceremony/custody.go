package ceremony

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"pki.internal/plan"
	"pki.internal/shamir"
	"pki.internal/spec"
)

// Custody is where custodians get their shares and give them back. Only one
// of them looks at a time.
type Custody interface {
	// Throws gives what people threw with dice or coins, to be mixed into a
	// new secret. The caller wipes it.
	Throws(ctx context.Context, a plan.Action) ([]byte, error)
	// HandOut gives one share to its holder and has the holder prove it: what
	// comes back was read from what the holder keeps, and not from memory. It
	// asks again for as long as the scheme refuses what it reads.
	HandOut(ctx context.Context, scheme *shamir.Scheme, share *shamir.Share, to plan.Holder) (Handed, error)
	// Gather asks holders for shares until there are enough, and holds each
	// against the scheme before it asks for the next.
	Gather(ctx context.Context, secret spec.Address, scheme *shamir.Scheme, holders []plan.Holder) ([]*shamir.Share, error)
}

// Handed is a share that its holder has proved.
type Handed struct {
	Share    *shamir.Share // as the holder read it back
	How      string        // plan.HandedFile, HandedScreen or HandedSheet
	ReadBack string        // words, qr, json or age
}

// Record gives a set of the ledger as its shares are checked with.
func Record(s plan.ShareSet) (*shamir.Scheme, error) {
	if len(s.Holders) != len(s.Members) {
		return nil, errors.New("this copy of the ledger does not name the holders of shares; use the whole one")
	}
	sizes, err := s.Shares.GroupSizes()
	if err != nil {
		return nil, err
	}
	var people []shamir.Member
	for i, m := range s.Members {
		member := shamir.Member{Index: i + 1, Holder: s.Holders[i].Name}
		if err := fill(member.Commitment[:], m.Commitment); err != nil {
			return nil, err
		}
		people = append(people, member)
	}
	top := &shamir.Set{Threshold: s.Shares.Threshold, Class: s.Class, Purpose: s.Shares.Purpose, Members: people}
	if err := fill(top.Digest[:], s.Digest); err != nil {
		return nil, err
	}
	if s.Shares.Replaces != "" {
		top.Replaces = new(shamir.SetID)
		if err := fill(top.Replaces[:], s.Shares.Replaces); err != nil {
			return nil, err
		}
	}
	if len(sizes) == 0 {
		return &shamir.Scheme{Top: top}, nil
	}
	return recordGroups(s, top, sizes)
}

// recordGroups puts the people of a set into their groups.
func recordGroups(s plan.ShareSet, top *shamir.Set, sizes []plan.Group) (*shamir.Scheme, error) {
	people := top.Members
	top.Members = nil
	scheme := &shamir.Scheme{Top: top}
	for i, size := range sizes {
		name := s.Holders[len(s.Holders)-len(people)].Group
		group := shamir.GroupSet(top.Purpose, name, size.Threshold)
		upper := shamir.Member{Index: i + 1, Holder: name}
		if err := errors.Join(fill(group.Digest[:], s.Groups[i].Digest), fill(upper.Commitment[:], s.Groups[i].Commitment)); err != nil {
			return nil, err
		}
		for n, m := range people[:size.Count] {
			m.Index = n + 1
			group.Members = append(group.Members, m)
		}
		people, top.Members, scheme.Groups = people[size.Count:], append(top.Members, upper), append(scheme.Groups, group)
	}
	return scheme, nil
}

func fill(to []byte, text string) error {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != len(to) {
		return fmt.Errorf("%q is not %d bytes in hex", text, len(to))
	}
	copy(to, raw)
	return nil
}

// sharesLater reports whether what is left of the plan makes a secret, so that
// nobody can be asked for it yet.
func (c *ceremony) sharesLater(secret spec.Address) bool {
	return slices.ContainsFunc(c.plan.Actions[c.done():], func(a plan.Action) bool {
		return a.Kind == plan.EstablishShares && a.Address == secret
	})
}

// lockedLater reports whether a key store's secret is still to be made, so
// that the store cannot be opened before.
func (c *ceremony) lockedLater(store spec.Address) bool {
	k := c.storeOf(store)
	return k != nil && k.Password != nil && c.sharesLater(k.Password.Address)
}

// obtain gives a secret that the plan needs: from custodians, or from whoever
// knows it.
func (c *ceremony) obtain(ctx context.Context, s *spec.Secret, state plan.State, new bool) ([]byte, error) {
	if s.Custodians == nil || c.admitted.rehearsal {
		return c.Secrets.Secret(ctx, s, new)
	}
	have, known := state.ShareSet(s.Address)
	if !known {
		return nil, fmt.Errorf("the ledger has no shares of %s", s.Address)
	}
	secret, used, err := rebuild(ctx, c.Custody, have)
	if err == nil {
		c.used[s.Address] = used
	}
	return secret, err
}

// Rebuild gives a secret back from the shares of a set in force. What comes
// out was held against the set's digest, so nothing else is ever offered to a
// key store. The caller wipes it.
func Rebuild(ctx context.Context, custody Custody, have plan.ShareSet) ([]byte, error) {
	secret, _, err := rebuild(ctx, custody, have)
	return secret, err
}

// rebuild is Rebuild that also says which shares gave the secret.
func rebuild(ctx context.Context, custody Custody, have plan.ShareSet) ([]byte, *plan.SharesUsed, error) {
	scheme, err := Record(have)
	if err != nil {
		return nil, nil, err
	}
	if custody == nil {
		return nil, nil, errors.New("no custodian can be asked here")
	}
	shares, err := custody.Gather(ctx, have.Secret, scheme, have.Holders)
	defer wipe(shares)
	if err != nil {
		return nil, nil, err
	}
	secret, err := scheme.Combine(shares)
	if err != nil {
		return nil, nil, refuseShares(err)
	}
	used := &plan.SharesUsed{Secret: have.Secret, Set: have.Set}
	for _, share := range shares {
		number, err := scheme.Find(share)
		if err != nil {
			clear(secret)
			return nil, nil, refuseShares(err)
		}
		used.Numbers = append(used.Numbers, number)
	}
	slices.Sort(used.Numbers)
	used.Numbers = slices.Compact(used.Numbers)
	return secret, used, nil
}

// refuseShares makes what is wrong with shares a refusal.
func refuseShares(err error) error {
	var fault *shamir.Fault
	if errors.As(err, &fault) {
		return refuse(fault.Next, "%s", fault.Error())
	}
	return err
}

func wipe(shares []*shamir.Share) {
	for _, s := range shares {
		if s != nil {
			s.Wipe()
		}
	}
}

// establishShares makes a secret, hands its shares out, has every one of them
// proved, and only then enters the set. Nothing is locked with the secret
// before, so an interruption loses nothing: the next run makes another.
func (c *ceremony) establishShares(ctx context.Context, a plan.Action) (Result, error) {
	var thrown []byte
	if a.EstablishShares.Dice {
		var err error
		if thrown, err = c.Custody.Throws(ctx, a); err != nil {
			return Result{}, err
		}
		defer clear(thrown)
	}
	secret, err := shamir.Generate(c.Rand, a.EstablishShares.Length, thrown)
	if err != nil {
		return Result{}, err
	}
	if err := c.share(ctx, a, *a.EstablishShares, secret); err != nil {
		clear(secret)
		return Result{}, err
	}
	c.secrets[a.Address] = secret
	return Result{}, nil
}

// reshare hands out new shares of a secret that enough custodians have given
// back. The old set is in force until the entry of the new one is on disk.
func (c *ceremony) reshare(ctx context.Context, a plan.Action) (Result, error) {
	return Result{}, c.share(ctx, a, *a.ReshareSecret, c.secrets[a.Address])
}

// share splits a secret, hands the shares out one by one, and enters the set
// when all of them, as their holders read them back, are proven: each against
// its commitment, and all together, so that every choice of enough of them
// gives this secret.
func (c *ceremony) share(ctx context.Context, a plan.Action, planned plan.SharesAction, secret []byte) error {
	if c.Custody == nil {
		return errors.New("no custodian can be reached here")
	}
	holders, err := c.holdersOf(a.Address)
	if err != nil {
		return err
	}
	scheme, shares, err := c.split(secret, planned, holders)
	if err != nil {
		return err
	}
	defer wipe(shares)
	top := scheme.Top
	event := &plan.SharesEstablished{
		Action: a.Number, Address: a.Address, Shares: planned, Digest: hex.EncodeToString(top.Digest[:]), Class: top.Class,
	}
	for i, group := range scheme.Groups {
		event.Groups = append(event.Groups, plan.ShareGroup{Digest: hex.EncodeToString(group.Digest[:]), Commitment: hex.EncodeToString(top.Members[i].Commitment[:])})
	}
	var back []*shamir.Share
	defer func() { wipe(back) }()
	for i, s := range shares {
		handed, err := c.Custody.HandOut(ctx, scheme, s, holders[i])
		if err != nil {
			return err
		}
		s.Wipe() // from here on the holder's copy is the only one
		back = append(back, handed.Share)
		number, err := scheme.Find(handed.Share)
		if err != nil {
			return refuseShares(err)
		}
		if number != i+1 {
			return refuse("hand the shares out again with --resume", "%s proved %s in place of share %d", holders[i].Name, handed.Share.Label(), i+1)
		}
		commitment := handed.Share.Commitment()
		event.Members = append(event.Members, plan.ShareMember{Commitment: hex.EncodeToString(commitment[:]), Handed: handed.How, ReadBack: handed.ReadBack})
	}
	if err := proves(scheme, back, secret); err != nil {
		return err
	}
	named := &plan.CustodiansNamed{Action: a.Number, Address: a.Address, Set: hex.EncodeToString(top.Digest[:len(shamir.SetID{})]), Holders: holders}
	if err := c.append(plan.Event{Kind: plan.HoldersNamed, Audience: plan.Restricted, Custodians: named}); err != nil {
		return err
	}
	if a.Kind == plan.ReshareSecret {
		return c.append(plan.Event{Kind: plan.SecretReshared, Audience: plan.Public, Reshared: event})
	}
	return c.append(plan.Event{Kind: plan.SharesWereMade, Audience: plan.Public, Shares: event})
}

// holdersOf gives the people whom the estate names for a secret. The plan was
// made from this very estate.
func (c *ceremony) holdersOf(secret spec.Address) ([]plan.Holder, error) {
	for _, s := range c.admitted.estate.Secrets {
		if s.Address == secret && s.Custodians != nil {
			return plan.Holders(s.Custodians), nil
		}
	}
	return nil, fmt.Errorf("the estate has no custodians for %s", secret)
}

// split shares a secret as planned: among people, or among groups of them.
func (c *ceremony) split(secret []byte, planned plan.SharesAction, holders []plan.Holder) (*shamir.Scheme, []*shamir.Share, error) {
	sizes, err := planned.GroupSizes()
	if err != nil {
		return nil, nil, err
	}
	var names []string
	for _, h := range holders {
		names = append(names, h.Name)
	}
	if len(sizes) == 0 {
		set, shares, err := shamir.Split(c.Rand, secret, shamir.Policy{Threshold: planned.Threshold, Purpose: planned.Purpose, Holders: names})
		return &shamir.Scheme{Top: set}, shares, err
	}
	var groups []shamir.GroupPolicy
	at := 0
	for _, size := range sizes {
		groups = append(groups, shamir.GroupPolicy{Name: holders[at].Group, Threshold: size.Threshold, Holders: names[at : at+size.Count]})
		at += size.Count
	}
	return shamir.SplitGroups(c.Rand, secret, planned.Purpose, planned.Threshold, groups)
}

// proves shows that the shares that were read back are all of them, that each
// takes part in a reconstruction, and that they give this secret.
func proves(scheme *shamir.Scheme, back []*shamir.Share, secret []byte) error {
	if err := scheme.Prove(back); err != nil {
		return refuseShares(err)
	}
	again, err := scheme.Combine(back)
	if err != nil {
		return refuseShares(err)
	}
	defer clear(again)
	if !bytes.Equal(again, secret) {
		return errors.New("the shares give another secret than the one that was split; nothing was locked with it")
	}
	return nil
}
