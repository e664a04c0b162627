package ceremony

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"pki.internal/hsm"
	"pki.internal/plan"
	"pki.internal/plan/tbs"
	"pki.internal/spec"
)

// passage is a way for keys of one algorithm from one key store to another.
type passage struct {
	from, to  spec.Address
	algorithm spec.Algorithm
}

// passages finds the way of every copy that what is left of the plan makes, as
// far as both stores can be opened by now, before anything is written: a key of
// which no backup can be made is not made.
func (c *ceremony) passages(ctx context.Context) error {
	for _, action := range c.plan.Actions[c.done():] {
		b := action.BackUpKey
		if action.Kind != plan.BackUpKey || c.unopened(b.Key.Store) {
			continue
		}
		if err := c.prove(ctx, b.Key.Store); err != nil {
			return err
		}
		if c.unopened(b.From) {
			continue
		}
		if _, err := c.passage(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

// passagesOf finds the ways of the copies of one key, at the latest moment:
// right before the key is made.
func (c *ceremony) passagesOf(ctx context.Context, key plan.Action) error {
	for _, action := range c.plan.Actions[key.Number:] {
		if action.Kind != plan.BackUpKey || action.Address != key.Address {
			continue
		}
		if _, err := c.passage(ctx, action.BackUpKey); err != nil {
			return err
		}
	}
	return nil
}

// unopened reports whether a store cannot be opened yet.
func (c *ceremony) unopened(store spec.Address) bool {
	return c.becomesReady(c.done(), store) || c.lockedLater(store)
}

// passage gives a way from one store to another, found once by trying it.
func (c *ceremony) passage(ctx context.Context, b *plan.BackUpAction) (hsm.Way, error) {
	at := passage{b.From, b.Key.Store, b.Key.Algorithm.KeyType()}
	if way, known := c.ways[at]; known || b.Policy == spec.VendorClone {
		return way, nil // the vendor's tool knows its own way
	}
	from, to, err := c.pairOf(ctx, b)
	if err != nil {
		return hsm.Way{}, err
	}
	copier, can := from.(hsm.Copier)
	if !can {
		return hsm.Way{}, fmt.Errorf("%s makes no copies of its keys: %w", b.From, hsm.ErrUnsupported)
	}
	way, err := copier.CanCopy(ctx, at.algorithm, to)
	if err != nil {
		return hsm.Way{}, fmt.Errorf("backup of %s in %s: %w", b.From, b.Key.Store, err)
	}
	c.ways[at] = way
	return way, nil
}

func (c *ceremony) pairOf(ctx context.Context, b *plan.BackUpAction) (from, to hsm.Store, err error) {
	if from, err = c.store(ctx, b.From); err != nil {
		return nil, nil, err
	}
	if to, err = c.store(ctx, b.Key.Store); err == nil && c.opened[b.From] == nil {
		err = refuse("bring another reader, and write readers in the ceremony block", "one token wraps the key and the other unwraps it, so %s and %s must be plugged in at one time", b.From, b.Key.Store)
	}
	return from, to, err
}

// backUpKey puts a copy of a key into another store, has both sign one
// challenge, and enters that. An interruption before the entry loses nothing:
// the next run takes the copy over when it is there and proves itself.
func (c *ceremony) backUpKey(ctx context.Context, a plan.Action) (Result, error) {
	b := a.BackUpKey
	original, spki, err := c.key(ctx, plan.KeyRef{Address: a.Address, Generation: b.Key.Generation})
	if err != nil {
		return Result{}, err
	}
	event := &plan.KeyBackedUp{Action: a.Number, Address: a.Address, BackUp: *b}
	copied, err := c.copyKey(ctx, a, spki, event)
	if err != nil {
		return Result{}, err
	}
	nonce := make([]byte, 32)
	if _, err := io.ReadFull(c.Rand, nonce); err != nil {
		return Result{}, err
	}
	event.Challenge, event.Adopted = hex.EncodeToString(nonce), copied.Adopted
	statement := b.Statement(a.Address, event.Challenge)
	if event.ByOriginal, err = challenge(ctx, original, b.Key.Algorithm, spki, statement); err != nil {
		return Result{}, fmt.Errorf("the key: %w", err)
	}
	if event.ByCopy, err = challenge(ctx, copied.Key, b.Key.Algorithm, spki, statement); err != nil {
		return Result{}, fmt.Errorf("the copy: %w", err)
	}
	if event.Evidence, err = c.evidence(a, "", copied.Evidence); err != nil {
		return Result{}, err
	}
	said := []string{fmt.Sprintf("a copy is in %s; it and the key signed one challenge, and both signatures verify", b.Key.Store)}
	if w := event.Way; w != nil {
		said = append(said, fmt.Sprintf("it went there wrapped with %s (%s), under a key that went by %s", w.Wrap, w.Format, w.Carrier))
	}
	said = append(said, against(copied.Evidence)...)
	return Result{Adopted: copied.Adopted, Said: said, Files: a.Outputs()}, c.append(plan.Event{Kind: plan.KeyWasBackedUp, BackedUp: event})
}

// copyKey makes the copy, or finds the one that the vendor's tool made.
func (c *ceremony) copyKey(ctx context.Context, a plan.Action, spki []byte, event *plan.KeyBackedUp) (hsm.Copied, error) {
	b := a.BackUpKey
	from, to, err := c.pairOf(ctx, b)
	if err != nil {
		return hsm.Copied{}, err
	}
	have, _ := c.Book.State().Authority(a.Address)
	g, _ := have.At(b.Key.Generation)
	source, _ := g.In(b.From)
	key, err := keySpec(source)
	if err != nil {
		return hsm.Copied{}, err
	}
	at, err := keySpec(b.Key)
	if err != nil {
		return hsm.Copied{}, err
	}
	if b.Policy == spec.VendorClone && !c.admitted.rehearsal {
		return cloned(ctx, to, at, spki, b)
	}
	way, err := c.passage(ctx, b)
	if err != nil {
		return hsm.Copied{}, err
	}
	copier, can := from.(hsm.Copier)
	if !can {
		return hsm.Copied{}, fmt.Errorf("%s makes no copies of its keys: %w", b.From, hsm.ErrUnsupported)
	}
	copied, err := copier.Copy(ctx, hsm.Copying{Key: key, SPKI: spki, To: to, At: at, Way: way, Resumed: c.admitted.resume})
	if err != nil {
		return hsm.Copied{}, err
	}
	if way != (hsm.Way{}) && !copied.Adopted {
		event.Way = &plan.BackupWay{Carrier: way.Carrier, Wrap: way.Wrap, Format: way.Format}
	}
	return copied, nil
}

// cloned finds the copy that the vendor's tool made. The ceremony stops for it,
// because such tools want the tokens for themselves.
func cloned(ctx context.Context, to hsm.Store, at hsm.KeySpec, spki []byte, b *plan.BackUpAction) (hsm.Copied, error) {
	copied := hsm.Copied{}
	key, err := to.Find(ctx, at, spki)
	if errors.Is(err, hsm.ErrNotFound) {
		return copied, fmt.Errorf("%s does not have the key yet; clone it from %s with the vendor's tool, under the id %s and the label %q, and go on with --resume: %w",
			b.Key.Store, b.From, b.Key.KeyID, b.Key.Label, err)
	}
	if err != nil {
		return copied, err
	}
	copied.Key = key
	if known, is := key.(hsm.Evident); is {
		copied.Evidence = known.Evidence(ctx)
	}
	return copied, nil
}

// challenge has a key sign a statement that is neither certificate nor CRL, and
// verifies the signature.
func challenge(ctx context.Context, key hsm.Key, a spec.Algorithm, spki, statement []byte) ([]byte, error) {
	digest, opts, err := tbs.Digest(a, statement)
	if err != nil {
		return nil, err
	}
	signature, err := key.Sign(ctx, digest, opts)
	if err != nil {
		return nil, fmt.Errorf("signing the challenge: %w", err)
	}
	if err := tbs.VerifyDigest(a, spki, digest, signature); err != nil {
		return nil, fmt.Errorf("its signature over the challenge: %w", err)
	}
	return signature, nil
}

// sealKey ends that a key may leave its token.
func (c *ceremony) sealKey(ctx context.Context, a plan.Action) (Result, error) {
	store, err := c.store(ctx, a.SealKey.Store)
	if err != nil {
		return Result{}, err
	}
	copier, can := store.(hsm.Copier)
	if !can {
		return Result{}, fmt.Errorf("%s seals no keys: %w", a.SealKey.Store, hsm.ErrUnsupported)
	}
	_, spki, err := c.key(ctx, plan.KeyRef{Address: a.Address, Generation: a.SealKey.Generation})
	if err != nil {
		return Result{}, err
	}
	key, err := keySpec(*a.SealKey)
	if err != nil {
		return Result{}, err
	}
	evidence, err := copier.Seal(ctx, key, spki)
	if err != nil {
		return Result{}, err
	}
	said, err := c.evidence(a, "", evidence)
	if err != nil {
		return Result{}, err
	}
	return Result{Said: []string{"the key no longer leaves its token; every attempt was refused"}}, c.append(plan.Event{
		Kind:      plan.KeyWasSealed,
		KeySealed: &plan.KeySealed{Action: a.Number, Address: a.Address, Generation: a.SealKey.Generation, Evidence: said},
	})
}
