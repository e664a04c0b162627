package pkcs11

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"

	"pki.internal/hsm"
	"pki.internal/spec"
)

// Test lets a token make a throw-away key of every algorithm, sign, and
// refuse to give the key away. Nothing stays on the token: the keys live in
// the session.
func Test(ctx context.Context, o Options, pin []byte) (*spec.Capabilities, error) {
	s, err := Open(ctx, o, pin)
	if err != nil {
		return nil, err
	}
	defer s.client.close()
	t, l := s.token, s.client.library
	c := &spec.Capabilities{
		Format: spec.CapabilitiesFormat,
		Module: spec.CapabilityModule{Path: l.Path, SHA256: l.SHA256, Library: l.Description, Version: l.Version},
		Token: spec.CapabilityToken{
			Label: t.Label, Serial: t.Serial, Manufacturer: t.Manufacturer, Model: t.Model,
			Hardware: t.Hardware, Firmware: t.Firmware, MinPIN: t.MinPIN, MaxPIN: t.MaxPIN,
		},
		Confinement: []spec.CapabilityRefusal{},
	}
	for _, m := range s.mechanisms {
		c.Mechanisms = append(c.Mechanisms, spec.CapabilityMechanism{Name: m.Name, MinSize: m.MinSize, MaxSize: m.MaxSize})
	}
	before, err := s.settled(ctx)
	if err != nil {
		return nil, err
	}
	var how *manner
	for _, a := range spec.KeyTypes() {
		ability := spec.Capability{Algorithm: a}
		because := fmt.Sprintf("it cannot make or use keys of %s: ", a.Title())
		made, in, err := s.trial(ctx, a, how)
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil && errors.Is(err, hsm.ErrTokenGone) && s.client.broken != nil:
			return nil, fmt.Errorf("testing %s: %w", a.Title(), err)
		case err != nil:
			ability.Why = strings.TrimPrefix(s.brief(err), because)
		default:
			ability.Works = true
			if in.idBytes < wholeID {
				s.idBytes = uint(in.idBytes)
			}
			if ability.Copies, ability.NoCopies, err = s.copiesItself(ctx, a); err != nil {
				return nil, err
			}
		}
		c.Algorithms = append(c.Algorithms, ability)
		if !ability.Works {
			continue
		}
		if how == nil {
			how = &in
			if c.Confinement, err = s.confinement(ctx, made.handle, keyTypeOf(made.public), false); err != nil {
				return nil, err
			}
		}
		if _, err := s.client.call(ctx, request{Op: "destroy", Handle: made.handle}, nil); err != nil {
			return nil, err
		}
	}
	if how != nil && how.idBytes < wholeID {
		c.Token.IDBytes = uint(how.idBytes)
	}
	after, err := s.settled(ctx)
	if err != nil {
		return nil, err
	}
	c.Observations = s.observations(c, how, before, after)
	return c, nil
}

// brief gives what is wrong without saying again which token it is and what an
// operator could do: a report says that once.
func (s *Store) brief(err error) string {
	var e *Error
	if !errors.As(err, &e) {
		return err.Error()
	}
	fact := strings.TrimPrefix(e.Fact, fmt.Sprintf("token %s: ", s.token))
	if e.Function != "" && e.Code != 0 {
		fact += " (" + e.Function + ": " + codeName(e.Code) + ")"
	}
	return fact
}

// copiesItself says how a throw-away key goes out of the token wrapped and in
// again, which every backup takes, or why it does not.
func (s *Store) copiesItself(ctx context.Context, a spec.Algorithm) (way, why string, err error) {
	found, err := s.CanCopy(ctx, a, s)
	var e *Error
	switch {
	case err == nil:
		return fmt.Sprintf("%s (%s), by %s", found.Wrap, found.Format, found.Carrier), "", nil
	case errors.As(err, &e) && s.client.broken == nil:
		_, why, _ = strings.Cut(e.Fact, fmt.Sprintf("cannot be copied to token %s: ", s.token))
		return "", strings.ReplaceAll(why, fmt.Sprintf("token %s: ", s.token), ""), nil
	}
	return "", "", err
}

// testLabel is the label of every throw-away key, so that whoever finds one
// that an interrupted test left knows what it is.
const testLabel = "pki token test"

// wholeID is how many bytes the id of a key has. Some tokens take fewer.
const (
	wholeID = 16
	shortID = 2 // the fewest of any token known
)

// manner is how a token makes throw-away keys.
type manner struct {
	onToken bool // it makes none that live in a session alone, as TPMs and smart cards do
	idBytes int  // how much of an id it keeps
}

// trial makes a throw-away key and lets it sign. The first key finds out in
// which manner the token makes any; the others are made in that one.
func (s *Store) trial(ctx context.Context, a spec.Algorithm, known *manner) (*key, manner, error) {
	manners := []manner{{false, wholeID}, {true, wholeID}, {false, shortID}, {true, shortID}}
	if known != nil {
		manners = []manner{*known}
	}
	var first error
	for _, how := range manners {
		id, err := s.drawID(ctx, how.idBytes)
		if err != nil {
			return nil, how, err
		}
		made, kept, err := s.scratch(ctx, hsm.KeySpec{ID: id, Label: testLabel, Algorithm: a}, how.onToken, false)
		if err == nil {
			how.idBytes = min(how.idBytes, kept)
			return made, how, nil
		}
		if first == nil {
			first = err
		}
		var e *Error
		if !errors.As(err, &e) || e.Function != "C_GenerateKeyPair" || !templateRefused(e.Code) && e.Code != ckrGeneralError && e.Code != ckrSessionReadOnly {
			break
		}
	}
	return nil, manner{}, first
}

// drawID draws an id that nothing on the token has: some modules destroy what
// has it.
func (s *Store) drawID(ctx context.Context, n int) ([]byte, error) {
	id := make([]byte, n)
	for range 16 {
		if _, err := rand.Read(id); err != nil {
			return nil, err
		}
		found, err := s.objects(ctx, request{ByID: id})
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return id, nil
		}
	}
	return nil, s.fail(hsm.ErrExists, "remove objects that nobody needs", "every id of %d bytes that was drawn is taken", n)
}

// scratch makes a key that is gone with the session, or one on the token that
// whoever asked destroys, and lets it sign. It gives how many bytes of the id
// the token kept.
func (s *Store) scratch(ctx context.Context, k hsm.KeySpec, onToken, leaves bool) (made *key, kept int, err error) {
	p, err := s.can(k.Algorithm)
	if err != nil {
		return nil, 0, err
	}
	publics, privates := p.templates(k.ID, k.Label, onToken, leaves)
	r, err := s.client.call(ctx, request{Op: "generate", Mechanism: p.generate, Public: publics, Private: privates}, nil)
	if err != nil {
		return nil, 0, err
	}
	if len(r.Handles) != 2 {
		return nil, 0, s.fail(hsm.ErrMismatch, "send the report of pki token test to the vendor", "the module gives no objects for a key")
	}
	defer func() {
		for _, h := range r.Handles {
			if err != nil { // what went wrong is said; what stays is seen afterwards
				_, _ = s.client.call(ctx, request{Op: "destroy", Handle: h}, nil)
			}
		}
	}()
	half, err := s.publicHalf(ctx, k.ID, r.Handles[0])
	if err != nil {
		return nil, 0, err
	}
	public, err := publicKey(half)
	if err != nil {
		return nil, 0, err
	}
	scratch := &key{store: s, handle: r.Handles[1], public: public}
	if err := scratch.prove(ctx); err != nil {
		return nil, 0, err
	}
	_, err = s.client.call(ctx, request{Op: "destroy", Handle: half.Handle}, nil)
	return scratch, len(half.ID), err
}

// publicHalf gives the public half of a key that was made a moment ago: by its
// id, or by its handle when the token keeps a part of the id only.
func (s *Store) publicHalf(ctx context.Context, id []byte, handle uint) (object, error) {
	for _, q := range []request{{ByID: id, Full: true}, {Full: true}} {
		found, err := s.objects(ctx, q)
		if err != nil {
			return object{}, err
		}
		for _, o := range found {
			if o.Class == ckoPublic && (q.ByID != nil || o.Handle == handle && len(o.ID) > 0 && bytes.HasPrefix(id, o.ID)) {
				return o, nil
			}
		}
	}
	return object{}, s.fail(hsm.ErrMismatch, "send the report of pki token test to the vendor", "the public half of a throw-away key is not listed")
}

// confinement tries to get a key out, which must be refused. A key that may
// leave is only read.
func (s *Store) confinement(ctx context.Context, private, keyType uint, leaves bool) ([]spec.CapabilityRefusal, error) {
	all := []spec.CapabilityRefusal{}
	try := func(attempt string, q request) error {
		_, err := s.client.call(ctx, q, nil)
		one := spec.CapabilityRefusal{Attempt: attempt, Outcome: spec.AttemptSucceeded, Answer: "CKR_OK"}
		var e *Error
		if errors.As(err, &e) {
			one.Outcome, one.Answer = spec.AttemptImpossible, e.Function+": "+codeName(e.Code)
			if keptInside(e.Code) {
				one.Outcome = spec.AttemptRefused
			}
		}
		if s.client.broken != nil {
			return err
		}
		all = append(all, one)
		return nil
	}
	for _, secret := range secretsOf(keyType) {
		if err := try("read the "+secret.name, request{Op: "peek", Handle: private, Mechanism: secret.code}); err != nil {
			return nil, err
		}
	}
	for _, m := range []uint{ckmAESWrap, ckmAESWrapPad, ckmAESWrapKWP, ckmAESCBCPad} {
		if _, listed := s.mechanism(m); !listed || leaves {
			continue
		}
		q := request{Op: "wrap", Handle: private, Mechanism: m}
		if m == ckmAESCBCPad {
			q.Parameter = make([]byte, 16)
		}
		if err := try("wrap it with "+mechanismName(m), q); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// keptInside tells a refusal to give a key away from the lack of a way to.
func keptInside(code uint) bool {
	switch code {
	case ckrAttributeSensitive, ckrKeyNotWrappable, ckrKeyUnextractable, ckrActionProhibited:
		return true
	}
	return false
}

// observations says what an operator should know.
func (s *Store) observations(c *spec.Capabilities, how *manner, before, after []object) []string {
	var all []string
	if how != nil && how.onToken {
		all = append(all, "the token makes no keys that live in a session alone, so each throw-away key was made on it and removed again")
	}
	if n := c.Token.IDBytes; n > 0 {
		all = append(all, fmt.Sprintf("the token keeps %d bytes of a key's id, so keys get ids of that length when a key store names this file", n))
	}
	for _, o := range after {
		same := func(b object) bool { return b.Class == o.Class && b.Label == o.Label && bytes.Equal(b.ID, o.ID) }
		if o.Label == testLabel || !slices.ContainsFunc(before, same) {
			all = append(all, describe(o)+" is left of a test and may be removed")
		}
	}
	for _, r := range c.Confinement {
		if r.Outcome == spec.AttemptSucceeded {
			all = append(all, "a key that must not be extractable came out ("+r.Attempt+"): treat this token as software")
		}
	}
	if strings.Trim(s.token.Serial, "0") == "" {
		all = append(all, "the token has no serial number, so only its label tells it from others")
	}
	all = append(all, s.token.State.Warnings()...)
	return all
}
