// Package pkcs11 answers one question: how do we talk to hardware?
//
// A vendor's module is loaded only in a helper process, which is this same
// program started again. A module that crashes or hangs ends that process and
// becomes an error here. Nothing that a token says is believed when it can be
// checked: attributes are read again, and every signature is verified before
// it leaves.
package pkcs11

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"errors"
	"fmt"

	"pki.internal/hsm"
	"pki.internal/spec"
)

// Store is a token that someone has logged in to.
type Store struct {
	client     *client
	token      Token
	mechanisms []Mechanism
	inbox      inbox // of the session, once another token has sent something
	pinPad     bool  // a person enters the PIN on the device
	idBytes    uint  // how much of a key's id the token keeps; 0 is all of it
}

// user types (PKCS#11 2.40 §3.4).
const (
	officer = 0
	user    = 1
)

// Open finds the one token that is meant and logs in, once. A nil pin belongs
// to a pin pad. The caller wipes the PIN.
func Open(ctx context.Context, o Options, pin []byte) (*Store, error) {
	c, err := start(ctx, o)
	if err != nil {
		return nil, err
	}
	s, err := open(ctx, c, o, pin)
	if err != nil {
		c.stop()
		return nil, err
	}
	return s, nil
}

func open(ctx context.Context, c *client, o Options, pin []byte) (*Store, error) {
	token, err := o.Token.choose(c.tokens)
	if err == nil {
		err = mayLogIn(token, o, pin)
	}
	if err != nil {
		return nil, inModule(err, o.Module)
	}
	if _, err := c.call(ctx, request{Op: "session", Slot: token.Slot, Write: true}, nil); err != nil {
		return nil, err
	}
	if _, err := c.call(ctx, request{Op: "login", User: user, PINPad: o.PINPad}, pin); err != nil {
		if token.State.PINPad && !o.PINPad {
			err = padded(err)
		}
		return nil, onToken(c.triesLeft(ctx, err, token), token)
	}
	r, err := c.call(ctx, request{Op: "mechanisms", Slot: token.Slot}, nil)
	if err != nil {
		return nil, err
	}
	return &Store{client: c, token: token, mechanisms: r.Mechanisms, pinPad: o.PINPad, idBytes: o.IDBytes}, nil
}

// inModule adds the module to a refusal.
func inModule(err error, module string) error {
	var e *Error
	if errors.As(err, &e) && e.Module == "" {
		e.Module = module
	}
	return err
}

// onToken adds to an error which token it came from.
func onToken(err error, t Token) error {
	var e *Error
	if errors.As(err, &e) {
		e.Fact = fmt.Sprintf("token %s: %s", t, e.Fact)
	}
	return err
}

// Close logs out and ends the helper process.
func (s *Store) Close() error {
	s.client.close()
	return nil
}

// Token and Library say what was opened.
func (s *Store) Token() Token { return s.token }

// Library gives the module as it was loaded.
func (s *Store) Library() Library { return *s.client.library }

// fail makes an error of this store.
func (s *Store) fail(kind error, next, fact string, args ...any) error {
	e := refuse(kind, next, fact, args...)
	e.Module = s.client.module
	return onToken(e, s.token)
}

// objects lists what has an id, a label, or everything.
func (s *Store) objects(ctx context.Context, q request) ([]object, error) {
	q.Op = "objects"
	r, err := s.client.call(ctx, q, nil)
	if err != nil {
		return nil, onToken(err, s.token)
	}
	return r.Objects, nil
}

// can refuses an algorithm that the token does not list, before anything is
// made.
func (s *Store) can(a spec.Algorithm) (keyPlan, error) {
	p, known := keyPlanOf(a)
	if !known {
		return p, s.fail(hsm.ErrUnsupported, "choose another algorithm", "there are no keys of algorithm %q", a)
	}
	for _, need := range []uint{p.generate, p.sign} {
		m, listed := s.mechanism(need)
		if !listed {
			return p, s.fail(hsm.ErrUnsupported, "choose an algorithm that pki token inspect lists", "it cannot make or use keys of %s: it has no mechanism %s", a.Title(), mechanismName(need))
		}
		if p.bits > 0 && m.MaxSize >= 256 && (p.bits < m.MinSize || p.bits > m.MaxSize) {
			return p, s.fail(hsm.ErrUnsupported, "choose an algorithm that pki token inspect lists", "its mechanism %s takes keys of %d to %d bits, and not of %d", m.Name, m.MinSize, m.MaxSize, p.bits)
		}
	}
	return p, nil
}

// CanMake refuses an algorithm that the token does not list.
func (s *Store) CanMake(a spec.Algorithm) error {
	_, err := s.can(a)
	return err
}

func (s *Store) mechanism(m uint) (Mechanism, bool) {
	for _, have := range s.mechanisms {
		if have.Type == m {
			return have, true
		}
	}
	return Mechanism{}, false
}

// maxLabel is what every token keeps whole; some show fewer characters.
const maxLabel = 64

// Generate makes a key pair, reads it back, and lets it sign.
func (s *Store) Generate(ctx context.Context, k hsm.KeySpec) (hsm.Key, []hsm.Evidence, error) {
	p, err := s.can(k.Algorithm)
	if err != nil {
		return nil, nil, err
	}
	if len(k.ID) == 0 || k.Label == "" || len(k.Label) > maxLabel {
		return nil, nil, s.fail(hsm.ErrUnsupported, "choose a name of at most 64 characters", "a key needs an id and a label, and %q with id %x is none", k.Label, k.ID)
	}
	before, err := s.free(ctx, k)
	if err != nil {
		return nil, nil, err
	}
	public, private := p.templates(k.ID, k.Label, true, k.Leaves)
	made, err := s.client.call(ctx, request{Op: "generate", Mechanism: p.generate, Public: public, Private: private}, nil)
	if err != nil {
		return nil, nil, onToken(err, s.token)
	}
	pair, err := s.pair(ctx, k)
	if errors.Is(err, hsm.ErrNotFound) {
		err = s.shortened(ctx, k, err)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("the key was made, and then: %w", err)
	}
	if pair.public == nil {
		return nil, nil, s.half(k, "private")
	}
	key, err := s.use(ctx, pair, k, nil)
	if err != nil {
		return nil, nil, fmt.Errorf("the key was made, and then: %w", err)
	}
	if name, bad := canLeave(pair.private, k.Leaves); bad {
		return nil, nil, s.fail(hsm.ErrMismatch, "do not use this key or this token", "the key was made, but the token says %s although it was told otherwise", name)
	}
	after, err := s.objects(ctx, request{})
	if err != nil {
		return nil, nil, err
	}
	if problem := differ(before, after, made.Handles); problem != "" {
		return nil, nil, s.fail(hsm.ErrMismatch, "compare with pki token inspect, and find out who else uses this token", "the key was made, but %s", problem)
	}
	taken := hsm.Evidence{Claim: fmt.Sprintf("template %d of %d was taken", len(made.Attempts)+1, len(public)), Grade: hsm.Observed}
	return key, append(key.Evidence(ctx), taken), nil
}

// Vacant refuses names that something on the token has.
func (s *Store) Vacant(ctx context.Context, k hsm.KeySpec) error {
	_, err := s.free(ctx, k)
	return err
}

// free makes sure that nothing of any class has the id or the label, because
// some modules replace what has, and gives the inventory.
func (s *Store) free(ctx context.Context, k hsm.KeySpec) ([]object, error) {
	var taken []object
	for _, q := range []request{{ByID: k.ID}, {ByLabel: k.Label}} {
		found, err := s.objects(ctx, q)
		if err != nil {
			return nil, err
		}
		taken = append(taken, found...)
	}
	all, err := s.objects(ctx, request{})
	if err != nil {
		return nil, err
	}
	for _, o := range all {
		if bytes.Equal(o.ID, k.ID) || o.Label == k.Label {
			taken = append(taken, o)
		}
	}
	if len(taken) > 0 && isShort(taken[0], k) {
		return nil, s.short(taken[0], k)
	}
	if len(taken) > 0 {
		return nil, s.fail(hsm.ErrExists, "choose another token or another name; pki token inspect lists what is there",
			"there is already %s, so the id %x and the label %q are not free", describe(taken[0]), k.ID, k.Label)
	}
	return all, nil
}

func describe(o object) string {
	return fmt.Sprintf("a %s with label %q and id %x", className(o.Class), o.Label, o.ID)
}

// differ holds two inventories against each other: the new key and nothing
// else. Handles of another session may differ, so objects are told by what
// they are.
func differ(before, after []object, made []uint) string {
	count := map[string]int{}
	name := func(o object) string { return fmt.Sprintf("%d %x %q", o.Class, o.ID, o.Label) }
	for _, o := range before {
		count[name(o)]++
	}
	added := 0
	for _, o := range after {
		if count[name(o)] > 0 {
			count[name(o)]--
			continue
		}
		added++
		if added > len(made) {
			return describe(o) + " appeared beside it"
		}
	}
	for _, o := range before {
		if count[name(o)] > 0 {
			return describe(o) + " disappeared meanwhile"
		}
	}
	if added != len(made) {
		return fmt.Sprintf("%d objects appeared instead of %d", added, len(made))
	}
	return ""
}

// keyPair is the two halves of a key; public is nil when the token keeps none.
type keyPair struct {
	public  *object
	private object
}

// pair finds the objects with a key's id and sees that they are one pair.
func (s *Store) pair(ctx context.Context, k hsm.KeySpec) (keyPair, error) {
	var p keyPair
	if len(k.ID) == 0 {
		return p, s.fail(hsm.ErrNotFound, "name the key by its id", "no id is given for the key %q", k.Label)
	}
	found, err := s.objects(ctx, request{ByID: k.ID, Full: true})
	if err != nil {
		return p, err
	}
	privates := 0
	for i, o := range found {
		switch o.Class {
		case ckoPrivate:
			privates++
			p.private = o
		case ckoPublic:
			if p.public != nil {
				return p, s.fail(hsm.ErrAmbiguous, "remove the one that is not wanted, with the vendor's tool", "two public keys have the id %x", k.ID)
			}
			p.public = &found[i]
		}
	}
	switch {
	case privates > 1:
		return p, s.fail(hsm.ErrAmbiguous, "remove the one that is not wanted, with the vendor's tool", "%d private keys have the id %x", privates, k.ID)
	case privates == 0 && p.public != nil:
		return p, s.half(k, "public")
	case privates == 0:
		return p, s.fail(hsm.ErrNotFound, "see with pki token inspect what it holds, and that this is the right token", "it has no key with the id %x (%s)", k.ID, k.Label)
	}
	return p, nil
}

// half is what a key generation that was cut off leaves behind.
func (s *Store) half(k hsm.KeySpec, which string) error {
	return s.fail(hsm.ErrHalfPair,
		fmt.Sprintf("remove the object with id %x with the vendor's tool, as with pkcs11-tool --delete-object --type %s --id %x, and go on with --resume", k.ID, map[string]string{"public": "pubkey", "private": "privkey"}[which], k.ID),
		"only the %s half of the key %q is there, which is what an interrupted key generation leaves", which, k.Label)
}

// use makes a key of a pair: the public key is read, held against what is
// recorded, and proven by a signature over something random.
func (s *Store) use(ctx context.Context, p keyPair, k hsm.KeySpec, spki []byte) (*key, error) {
	public, err := s.publicOf(p, spki)
	if err != nil {
		return nil, err
	}
	have, err := spkiOf(public)
	if err != nil {
		return nil, err
	}
	if spki != nil && !bytes.Equal(have, spki) {
		return nil, s.fail(hsm.ErrMismatch, "see that this is the right token; its key was made by someone else", "the key with the id %x has another public key than the recorded one", k.ID)
	}
	if kind := algorithmOf(public); kind != k.Algorithm {
		return nil, s.fail(hsm.ErrMismatch, "see that this is the right token", "the key with the id %x is of %s and not of %s", k.ID, kind.Title(), k.Algorithm.Title())
	}
	for _, o := range []*object{p.public, &p.private} {
		if o != nil && (!shows(o.Label, k.Label) || !bytes.Equal(o.ID, k.ID)) {
			return nil, s.fail(hsm.ErrMismatch, "see with pki token inspect what it holds", "the key should have the label %q and id %x, and is %s", k.Label, k.ID, describe(*o))
		}
	}
	made := &key{store: s, pair: p, handle: p.private.Handle, public: public, label: k.Label, leaves: k.Leaves}
	return made, made.prove(ctx)
}

// publicOf reads the public half, or takes the recorded key when the token
// keeps none: the signature that follows proves it.
func (s *Store) publicOf(p keyPair, spki []byte) (crypto.PublicKey, error) {
	if p.public == nil {
		return parseSPKI(spki)
	}
	public, err := publicKey(*p.public)
	if err != nil {
		return nil, s.fail(hsm.ErrMismatch, "send the report of pki token test to the vendor", "%s", err)
	}
	return public, nil
}

// Find gives the key with an id. For adopting a key after an interruption both
// halves must be there.
func (s *Store) Find(ctx context.Context, k hsm.KeySpec, spki []byte) (hsm.Key, error) {
	p, err := s.pair(ctx, k)
	if err != nil {
		return nil, err
	}
	if p.public == nil && spki == nil {
		return nil, s.half(k, "private")
	}
	found, err := s.use(ctx, p, k, spki)
	if err != nil {
		return nil, err // not found, which must not be a nil *key
	}
	return found, nil
}

// key is a private key on a token.
type key struct {
	store  *Store
	pair   keyPair
	handle uint
	public crypto.PublicKey
	label  string // as it was given
	leaves bool   // it may leave, until it is sealed
}

// Public gives the public key.
func (k *key) Public() crypto.PublicKey { return k.public }

// Sign signs and verifies the signature. After the token was asked, every
// error says that a signature may exist.
func (k *key) Sign(ctx context.Context, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	o, err := orderOf(k.public, digest, opts)
	if err != nil {
		return nil, err
	}
	again := k.pair.private.Flags["always_authenticate"]
	r, err := k.store.client.call(ctx, request{
		Op: "sign", Handle: k.handle, Mechanism: o.mechanism, Parameter: o.parameter, Data: o.data, Again: again, PINPad: again && k.store.pinPad,
	}, nil)
	if err != nil {
		return nil, onToken(err, k.store.token)
	}
	signature, err := finish(k.public, r.Data, digest, opts)
	if err != nil {
		e := refuse(hsm.ErrMismatch, "stop using this token until the vendor has explained it", "%s", err)
		e.Signed, e.Function, e.Module = true, "C_Sign", k.store.client.module
		return nil, onToken(e, k.store.token)
	}
	return signature, nil
}

// prove lets the key sign something that it has never seen.
func (k *key) prove(ctx context.Context) error {
	challenge := make([]byte, 64)
	if _, err := rand.Read(challenge); err != nil {
		return err
	}
	message := append([]byte("pki: proof that this key is here\x00"), challenge...)
	opts := crypto.SignerOpts(crypto.Hash(0))
	if takesDigest(algorithmOf(k.public)) {
		h := crypto.SHA256.New()
		h.Write(message)
		message, opts = h.Sum(nil), crypto.SHA256
	}
	if _, err := k.Sign(ctx, message, opts); err != nil {
		// A signature over a random challenge is of no use to anyone.
		var e *Error
		if errors.As(err, &e) {
			e.Signed = false
		}
		return fmt.Errorf("the key does not prove itself: %w", err)
	}
	return nil
}

// takesDigest says whether keys of an algorithm sign a digest, and not the
// message.
func takesDigest(a spec.Algorithm) bool { return a != spec.Ed25519 && !a.PostQuantum() }
