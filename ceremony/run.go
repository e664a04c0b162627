package ceremony

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"

	"pki.internal/ceremony/script"
	"pki.internal/hsm"
	"pki.internal/lint"
	"pki.internal/plan"
	"pki.internal/spec"
)

// Run carries out an admitted plan. When it returns without error every
// action is in the ledger and every file is under its name. After an error
// the same plan goes on with resume: what has an entry is not done again.
func (r *Room) Run(ctx context.Context, a *Admitted) (err error) {
	if a.done {
		// A piece of an entry that a later ceremony did not get to write.
		if _, _, err := r.Book.Mend(); err != nil {
			return fmt.Errorf("cutting off the torn entry: %w", err)
		}
		return r.writeFiles()
	}
	c := &ceremony{Room: r, admitted: a, plan: a.plan, opened: map[spec.Address]hsm.Store{}, secrets: map[spec.Address][]byte{}, keys: map[keyOf]hsm.Key{}, ways: map[passage]hsm.Way{}, used: map[spec.Address]*plan.SharesUsed{}}
	defer c.leave()
	if err := c.prepare(); err != nil {
		return err
	}
	return c.walk(ctx)
}

// ceremony is one run of a plan.
type ceremony struct {
	*Room
	admitted *Admitted
	plan     *plan.Plan
	linter   *lint.Linter
	policy   lint.Policy
	opened   map[spec.Address]hsm.Store
	secrets  map[spec.Address][]byte
	used     map[spec.Address]*plan.SharesUsed // that gave a secret
	keys     map[keyOf]hsm.Key
	ways     map[passage]hsm.Way
	plugged  []spec.Address // tokens in readers, the longest unused first

	step         script.Step // that is being taken
	signedIn     bool
	clockReaders []string      // who compared the clock with another
	roomFindings []string      // lints that found something in the room
	here         []string      // officers who are present
	ended        *plan.Aborted // when it was aborted
	begun        bool          // the first entry of this run is written
	interrupted  bool          // an earlier run may have signed without an entry
	pending      []plan.Event  // said before it
}

// leave closes the stores and wipes the secrets.
func (c *ceremony) leave() {
	var closing sync.WaitGroup
	for _, s := range c.opened {
		closing.Go(func() {
			// Nothing is written through a store at the end, so there is nothing
			// that a failure here could lose.
			_ = s.Close()
		})
	}
	closing.Wait()
	for _, secret := range c.secrets {
		clear(secret)
	}
}

// prepare makes sure that nothing happened since the plan was admitted, and
// gets the judge.
func (c *ceremony) prepare() error {
	state := c.Book.State()
	if head := state.Head; state.Open == nil && c.plan.Ledger != head && !(head == plan.Head{} && c.plan.Ledger == plan.EmptyHead()) {
		return errMoved
	}
	// Between Admit and here another process may have begun a ceremony and died.
	if state.Open != nil && (!c.admitted.resume || state.Open.Digest != c.admitted.digest) {
		return errMoved
	}
	return c.judge()
}

func (c *ceremony) judge() error {
	linter, err := lint.New(c.plan.Lint.Profile)
	if err != nil {
		return err
	}
	c.linter, c.policy = linter, lint.Policy{FailOn: c.plan.Lint.FailOn}
	for _, w := range c.plan.Lint.Waivers {
		until, err := time.Parse(time.DateOnly, w.Until)
		if err != nil {
			return fmt.Errorf("waiver of %s: %w", w.Lint, err)
		}
		c.policy.Waivers = append(c.policy.Waivers, lint.Waiver{
			Lint: w.Lint, Object: w.Object.String(), Reason: w.Reason, Citation: w.Citation, Author: w.Author, Until: until,
		})
	}
	return nil
}

// outputsFree refuses to begin when a file is in the way: an output of a
// ceremony is never overwritten, except a CRL by the next one.
func (c *ceremony) outputsFree(s plan.State) error {
	known := map[string][]byte{}
	for _, f := range s.Files() {
		known[f.Path] = f.Data
	}
	done := 0
	if s.Open != nil {
		done = s.Open.Done
	}
	for _, action := range c.plan.Actions[done:] {
		for _, name := range action.Outputs() {
			have, err := c.Files.Read(name)
			switch {
			case errors.Is(err, fs.ErrNotExist):
			case err != nil:
				return fmt.Errorf("%s: %w", name, err)
			case action.Key() != nil && s.Open != nil && s.Open.Intent != nil && s.Open.Intent.Action == action.Number:
			case action.Kind == plan.BackUpKey && s.Open != nil && s.Open.Done == action.Number-1: // a copy of the key itself, or refused
			case s.Released(name, have): // the next one may replace it
			case known[name] == nil || !bytes.Equal(have, known[name]):
				return refuse("move it away; what a ceremony makes is never overwritten", "%s is already there and does not come from this ledger", name)
			}
		}
	}
	return nil
}

// unlock gets every secret that the plan needs and opens the stores, so far as
// no step has done it. A key that exists already must open and be the recorded
// one, and a store that a new key goes to must open, so that a wrong PIN, a
// wrong token or one that cannot do the algorithm is found before anything is
// written.
func (c *ceremony) unlock(ctx context.Context, s plan.State) error {
	for _, address := range c.plan.Needs.Secrets {
		if err := c.unlockSecret(ctx, address); err != nil {
			return err
		}
	}
	for _, have := range c.existingKeys(s) {
		if err := c.prove(ctx, have.Key.Store); err != nil {
			return err
		}
	}
	if err := c.tokensWait(ctx); err != nil {
		return err
	}
	for _, action := range c.plan.Actions[c.done():] {
		if to := action.Key(); to != nil {
			if err := c.prove(ctx, to.Store); err != nil {
				return err
			}
		}
	}
	return c.passages(ctx)
}

// unlockSecret gets a secret once. One that is still to be made, or that is
// needed no more, is nobody's business.
func (c *ceremony) unlockSecret(ctx context.Context, address spec.Address) error {
	if c.secrets[address] != nil || c.sharesLater(address) {
		return nil
	}
	state := c.Book.State()
	i := slices.IndexFunc(c.admitted.estate.Secrets, func(s *spec.Secret) bool { return s.Address == address })
	if i < 0 {
		return fmt.Errorf("the estate has no %s", address)
	}
	secret, err := c.obtain(ctx, c.admitted.estate.Secrets[i], state, !c.interrupted && !c.opensSomething(address, c.existingKeys(state)))
	if err != nil {
		return err
	}
	c.secrets[address] = secret
	return nil
}

// prove opens a key store, so far as it can be opened by now. Every key in it
// that this plan uses signs a challenge, which must verify under the key of the
// ledger; an algorithm of a new key must be one that it can make.
func (c *ceremony) prove(ctx context.Context, address spec.Address) error {
	if c.becomesReady(c.done(), address) || c.lockedLater(address) || c.opened[address] != nil {
		return nil
	}
	store, err := c.store(ctx, address)
	if err != nil {
		return c.giveUp(address, err)
	}
	if surveyed, can := store.(hsm.Surveyed); can {
		amiss, err := surveyed.Survey(ctx)
		if err != nil {
			return c.giveUp(address, err)
		}
		for _, what := range amiss {
			c.Desk.Say("NOTE: " + what + ". It is left as it is; pki token inspect shows it.")
		}
	}
	for _, have := range c.existingKeys(c.Book.State()) {
		if have.Key.Store != address {
			continue
		}
		if err := c.find(ctx, store, have); err != nil {
			return c.giveUp(address, err)
		}
	}
	for _, action := range c.plan.Actions[c.done():] {
		key := action.Key()
		if b := action.BackUpKey; b != nil && b.Policy != spec.VendorClone {
			key = &b.Key
		}
		if key == nil || key.Store != address {
			continue
		}
		if able, can := store.(hsm.Able); can {
			if err := able.CanMake(key.Algorithm); err != nil {
				return fmt.Errorf("%s: %w", address, err)
			}
		}
		if err := c.vacant(ctx, store, *key, action.Number); err != nil {
			return err
		}
	}
	return nil
}

// vacant refuses to begin when a token holds something under the names of a key
// that the plan puts there. What an interrupted run of this very action left is
// looked at when it comes to it.
func (c *ceremony) vacant(ctx context.Context, store hsm.Store, key plan.KeyAction, action int) error {
	open := c.Book.State().Open
	vacant, can := store.(hsm.Vacant)
	if !can || open != nil && open.Done == action-1 {
		return nil
	}
	spec, err := keySpec(key)
	if err != nil {
		return err
	}
	if err := vacant.Vacant(ctx, spec); err != nil {
		return fmt.Errorf("%s: %w", key.Store, err)
	}
	return nil
}

// find has a key prove itself and keeps it.
func (c *ceremony) find(ctx context.Context, store hsm.Store, have *plan.KeyMade) error {
	name := keyOf{have.Address, have.Key.Generation}
	spec, err := keySpec(have.Key)
	if err != nil {
		return err
	}
	key, err := store.Find(ctx, spec, have.SPKI)
	if err != nil {
		return fmt.Errorf("key of %s: %w", plan.Label(have.Address, have.Key.Generation), err)
	}
	if c.keys[name] == nil || c.placeOf(c.Book.State(), name).Store == have.Key.Store {
		c.keys[name] = key
	}
	return nil
}

// giveUp closes a store that did not open as it should, and wipes the secret
// that did not open it, so that another try begins anew.
func (c *ceremony) giveUp(address spec.Address, cause error) error {
	if s := c.opened[address]; s != nil {
		_ = s.Close() // nothing was written through it
		delete(c.opened, address)
	}
	if k := c.storeOf(address); k != nil && k.Password != nil && errors.Is(cause, hsm.ErrWrongPIN) {
		clear(c.secrets[k.Password.Address])
		delete(c.secrets, k.Password.Address)
	}
	return cause
}

// existingKeys lists the keys that are there and sign in what is left of the
// plan, and one of every store that a new key goes to, so that no key is
// encrypted under a mistyped password.
func (c *ceremony) existingKeys(s plan.State) []*plan.KeyMade {
	var found []*plan.KeyMade
	use := func(at keyOf) {
		if place := c.placeOf(s, at); place.Store != (spec.Address{}) {
			have, _ := s.Authority(at.address)
			g, _ := have.At(at.generation)
			found = append(found, &plan.KeyMade{Address: at.address, Key: place, SPKI: g.SPKI()})
		}
	}
	for _, action := range c.plan.Actions[c.done():] {
		if issuer, signs := action.Issuer(); signs {
			use(keyOf{issuer.Address, issuer.Generation})
		}
		if k := action.SealKey; k != nil {
			use(keyOf{action.Address, k.Generation})
		}
		if k := action.ProveKey; k != nil {
			have, _ := s.Authority(action.Address)
			g, _ := have.At(k.Generation)
			found = append(found, &plan.KeyMade{Address: action.Address, Key: *k, SPKI: g.SPKI()})
		}
		if adopt := action.Adopt; adopt != nil && adopt.Key != nil {
			found = append(found, &plan.KeyMade{Address: action.Address, Key: *adopt.Key, SPKI: adopt.SPKI})
		}
		to := action.Key()
		if b := action.BackUpKey; b != nil {
			use(keyOf{action.Address, b.Key.Generation})
			to = &b.Key
		}
		if to == nil {
			continue
		}
		if keys := s.KeysOf(to.Store); len(keys) > 0 {
			found = append(found, keys[0])
		}
	}
	name := func(k *plan.KeyMade) string {
		return fmt.Sprintf("%s %06d %s", k.Address, k.Key.Generation, k.Key.Store)
	}
	slices.SortFunc(found, func(a, b *plan.KeyMade) int { return strings.Compare(name(a), name(b)) })
	return slices.CompactFunc(found, func(a, b *plan.KeyMade) bool { return name(a) == name(b) })
}

// opensSomething reports whether a secret is the one of a key that exists, so
// that it is asked for and not chosen.
func (c *ceremony) opensSomething(secret spec.Address, existing []*plan.KeyMade) bool {
	// A token has its PIN already, also when there is no key on it yet, unless
	// this plan gives it one.
	if slices.ContainsFunc(c.admitted.estate.KeyStores, func(k *spec.KeyStore) bool {
		return k.Token != nil && !c.becomesReady(c.done(), k.Address) && k.Password != nil && k.Password.Address == secret
	}) {
		return true
	}
	return slices.ContainsFunc(existing, func(k *plan.KeyMade) bool {
		store := c.storeOf(k.Key.Store)
		return store != nil && store.Password != nil && store.Password.Address == secret
	})
}

// placeOf gives where a key that exists is used: where it was made, or in the
// backup whose store the estate names.
func (c *ceremony) placeOf(s plan.State, at keyOf) plan.KeyAction {
	described, err := c.authority(at.address)
	if err != nil {
		described = nil // of an authority that the estate lets go of
	}
	have, _ := s.Authority(at.address)
	g, _ := have.At(at.generation)
	return g.Place(described)
}

func (c *ceremony) storeOf(address spec.Address) *spec.KeyStore {
	for _, k := range c.admitted.estate.KeyStores {
		if k.Address == address {
			return k
		}
	}
	return nil
}

// store opens a key store once.
func (c *ceremony) store(ctx context.Context, address spec.Address) (hsm.Store, error) {
	if s := c.opened[address]; s != nil {
		c.use(address)
		return s, nil
	}
	k := c.storeOf(address)
	if k == nil {
		return nil, fmt.Errorf("the estate has no %s", address)
	}
	if err := c.plug(ctx, address, false); err != nil {
		return nil, err
	}
	var secret []byte // none for a pin pad
	if k.Password != nil {
		if err := c.unlockSecret(ctx, k.Password.Address); err != nil {
			return nil, err
		}
		secret = c.secrets[k.Password.Address]
	}
	if k.Token != nil && secret != nil {
		pin, err := RecordedPIN(c.Book.State(), k, secret)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", address, err)
		}
		defer clear(pin)
		secret = pin
	}
	s, err := c.Stores.Open(ctx, k, secret)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", address, err)
	}
	c.opened[address] = s
	return s, nil
}

func keySpec(k plan.KeyAction) (hsm.KeySpec, error) {
	id, err := hex.DecodeString(k.KeyID)
	return hsm.KeySpec{ID: id, Label: k.Label, Location: k.Location, Algorithm: k.Algorithm.KeyType(), Leaves: k.Extractable}, err
}

// open writes the first entry of a ceremony, or of its continuation.
func (c *ceremony) open() error {
	torn, digest, err := c.Book.Mend()
	if err != nil {
		return fmt.Errorf("cutting off the torn entry: %w", err)
	}
	state := c.Book.State()
	if state.Open == nil {
		return c.append(plan.Event{
			Kind:  plan.CeremonyBegun,
			Begun: &plan.Begun{Plan: c.plan, PlanDigest: c.admitted.digest, Tool: c.Tool, Approvals: c.admitted.approvals},
		})
	}
	next, more := state.Open.Next()
	_, signs := next.Issuer()
	if !more {
		next.Number = len(c.plan.Actions) + 1
	}
	return c.append(plan.Event{
		Kind:    plan.CeremonyResumed,
		Resumed: &plan.Resumed{NextAction: next.Number, MaybeSigned: more && signs, TornBytes: torn, TornSHA256: digest},
	})
}

// append dates a fact and adds it to the ledger. Time never runs backwards in
// a ledger, even when the host's clock is set back by a second in between.
func (c *ceremony) append(e plan.Event) error {
	e.Time, e.Audience = c.Clock().UTC().Truncate(time.Second), plan.AudienceOf(e)
	if last := c.Book.State().LastTime; e.Time.Before(last) {
		return refuse("set the clock right and go on with --resume", "the clock was set back to %s during the ceremony", e.Time.Format(time.RFC3339))
	}
	return c.Book.Append(e)
}

// writeFiles makes every derived file that is missing or old. It is how a
// file comes under its final name, and how one that was lost comes back.
func (r *Room) writeFiles() error {
	if err := r.removeRetired(); err != nil {
		return err
	}
	return r.writeMissing(r.Book.State().Files())
}

// writeMissing makes those of the files that are missing or old.
func (r *Room) writeMissing(files []plan.File) error {
	var missing []plan.File
	for _, f := range files {
		there, err := r.isWritten(f)
		if err != nil {
			return err
		}
		if !there {
			missing = append(missing, f)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if err := r.Files.Write(missing...); err != nil {
		return fmt.Errorf("%s: %w", missing[0].Path, err)
	}
	return nil
}

// removeRetired takes away CRLs that were signed ahead and are void: nobody
// shall publish one by mistake.
func (r *Room) removeRetired() error {
	for _, name := range r.Book.State().Retired() {
		if err := r.Files.Remove(name); err != nil {
			return fmt.Errorf("%s, which is void: %w", name, err)
		}
	}
	return nil
}

// isWritten says whether a file is under its name as it should be, or as it was
// released.
func (r *Room) isWritten(f plan.File) (bool, error) {
	have, err := r.Files.Read(f.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("%s: %w", f.Path, err)
	}
	return bytes.Equal(have, f.Data) || r.Book.State().Released(f.Path, have), nil
}
