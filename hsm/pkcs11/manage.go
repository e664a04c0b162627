package pkcs11

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"pki.internal/hsm"
	"pki.internal/spec"
)

// List gives the module and every token that it shows. It logs in to none.
func List(ctx context.Context, o Options) (Library, []Token, error) {
	c, err := start(ctx, o)
	if err != nil {
		return Library{}, nil, err
	}
	defer c.close()
	return *c.library, c.tokens, nil
}

// Object is one object of a token, as people read it.
type Object struct {
	Class string          `json:"class"`
	ID    string          `json:"id"` // hex
	Label string          `json:"label"`
	Key   string          `json:"key,omitempty"`
	SPKI  []byte          `json:"spki,omitempty"`
	Flags map[string]bool `json:"attributes,omitempty"`
	Note  string          `json:"note,omitempty"`
}

// Contents is what is on a token.
type Contents struct {
	Library    Library     `json:"library"`
	Token      Token       `json:"token"`
	LoggedIn   bool        `json:"logged_in"` // private objects are listed only then
	Mechanisms []Mechanism `json:"mechanisms"`
	Objects    []Object    `json:"objects"`
}

// Inspect lists what is on a token. Without login no PIN is needed and only
// public objects are seen.
func Inspect(ctx context.Context, o Options, login bool, pin []byte) (*Contents, error) {
	c, err := start(ctx, o)
	if err != nil {
		return nil, err
	}
	defer c.close()
	s := &Store{client: c}
	if login {
		if s, err = open(ctx, c, o, pin); err != nil {
			return nil, err
		}
	} else {
		if s.token, err = o.Token.choose(c.tokens); err != nil {
			return nil, inModule(err, o.Module)
		}
		if _, err := c.call(ctx, request{Op: "session", Slot: s.token.Slot}, nil); err != nil {
			return nil, err
		}
		r, err := c.call(ctx, request{Op: "mechanisms", Slot: s.token.Slot}, nil)
		if err != nil {
			return nil, err
		}
		s.mechanisms = r.Mechanisms
	}
	all, err := s.objects(ctx, request{Full: true})
	if err != nil {
		return nil, err
	}
	return &Contents{Library: *c.library, Token: s.token, LoggedIn: login, Mechanisms: s.mechanisms, Objects: readable(all, login)}, nil
}

// readable puts objects into words, and says of a key's halves and twins what
// is wrong with them.
func readable(all []object, complete bool) []Object {
	slices.SortStableFunc(all, func(a, b object) int {
		return strings.Compare(fmt.Sprintf("%x %d %s", a.ID, a.Class, a.Label), fmt.Sprintf("%x %d %s", b.ID, b.Class, b.Label))
	})
	have := map[string]int{}
	of := func(class uint, id []byte) string { return fmt.Sprintf("%d %x", class, id) }
	for _, o := range all {
		have[of(o.Class, o.ID)]++
	}
	shown := make([]Object, 0, len(all))
	for _, o := range all {
		one := Object{Class: className(o.Class), ID: fmt.Sprintf("%x", o.ID), Label: o.Label, Flags: o.Flags}
		if o.Class == ckoPublic {
			if public, err := publicKey(o); err == nil {
				one.Key = string(algorithmOf(public))
				one.SPKI, _ = spkiOf(public) // a key that Go cannot encode is shown without
			} else {
				one.Note = err.Error()
			}
		}
		other := map[uint]uint{ckoPublic: ckoPrivate, ckoPrivate: ckoPublic}[o.Class]
		switch {
		case other == 0:
		case have[of(o.Class, o.ID)] > 1:
			one.Note = "twin: another one has this id"
		case have[of(other, o.ID)] == 0 && (complete || o.Class == ckoPrivate):
			one.Note = "half a pair: the " + className(other) + " is missing"
		}
		shown = append(shown, one)
	}
	return shown
}

// Init makes an empty token ready: label, security officer's PIN, user PIN.
// A token that was ever initialised is refused, because C_InitToken destroys
// whatever is on it without asking. The caller wipes the PINs.
func Init(ctx context.Context, o Options, label string, officerPIN, userPIN []byte) (Token, error) {
	if label == "" || len(label) > 32 {
		return Token{}, refuse(hsm.ErrUnsupported, "choose a label of 1 to 32 characters", "%q cannot be the label of a token", label)
	}
	empty, err := initToken(ctx, o, label, officerPIN, len(userPIN))
	if err != nil {
		return Token{}, err
	}
	// Modules number slots anew, so a process of its own looks for the token.
	o.Token = Selector{Label: label, Manufacturer: empty.Manufacturer, Model: empty.Model}
	c, err := start(ctx, o)
	if err != nil {
		return Token{}, err
	}
	defer c.close()
	token, err := o.Token.choose(c.tokens)
	if err != nil {
		return Token{}, inModule(err, o.Module)
	}
	if err := c.giveUserPIN(ctx, token, officerPIN, userPIN); err != nil {
		return Token{}, err
	}
	return token, loginWorks(ctx, o, token, userPIN)
}

// Ready makes an empty token ready as Init does, and says what is known of it.
// After an interruption a token that has the label, that these PINs open and
// that is empty is taken over; what was missing of it is done.
func Ready(ctx context.Context, o Options, label string, officerPIN, userPIN []byte, resumed bool) (token Token, adopted bool, evidence []hsm.Evidence, err error) {
	o.Token = Selector{Label: label, Manufacturer: o.Token.Manufacturer, Model: o.Token.Model}
	if resumed {
		_, tokens, err := List(ctx, o)
		if err != nil {
			return Token{}, false, nil, err
		}
		adopted = slices.ContainsFunc(tokens, func(t Token) bool { return t.State.Initialized && o.Token.matches(t) })
	}
	if adopted {
		token, err = setUserPIN(ctx, o, officerPIN, userPIN)
	} else {
		token, err = Init(ctx, o, label, officerPIN, userPIN)
	}
	if err != nil {
		return Token{}, false, nil, err
	}
	s, err := Open(ctx, o, userPIN)
	if err != nil {
		return Token{}, false, nil, err
	}
	defer s.client.close()
	objects, err := s.objects(ctx, request{})
	if err == nil && len(objects) > 0 {
		err = s.fail(hsm.ErrExists, "use an empty token", "it should be empty, and holds %s", describe(objects[0]))
	}
	if err != nil {
		return Token{}, false, nil, err
	}
	return token, adopted, append(s.about(), hsm.Evidence{Claim: "the new PIN opens the token, which is empty", Grade: hsm.Proven}), nil
}

// CanReady says whether Ready would find its token: an empty one that takes
// PINs of these lengths while none has the label, or after an interruption the
// one with the label. It changes nothing and needs no PIN.
func CanReady(ctx context.Context, o Options, label string, officerPIN, userPIN int, resumed bool) error {
	_, tokens, err := List(ctx, o)
	if err != nil {
		return err
	}
	var empty []Token
	for _, t := range tokens {
		named := Selector{Label: label, Manufacturer: o.Token.Manufacturer, Model: o.Token.Model}
		switch {
		case t.State.Initialized && named.matches(t) && resumed:
			return nil
		case t.State.Initialized && t.Label == label:
			return inModule(refuse(hsm.ErrExists, "choose another label; nothing was changed", "token %s is there already", t), o.Module)
		case !t.State.Initialized:
			empty = append(empty, t)
		}
	}
	if len(empty) > 1 {
		return nil // which of them is asked when it comes to it
	}
	t, err := uninitialised(Selector{Manufacturer: o.Token.Manufacturer, Model: o.Token.Model}, tokens)
	if err == nil {
		err = errors.Join(newLengthFits(t, "security officer's PIN", officerPIN), newLengthFits(t, "user PIN", userPIN))
	}
	return inModule(err, o.Module)
}

// newLengthFits holds the length of a PIN that is chosen against the token.
func newLengthFits(t Token, whose string, n int) error {
	if lengthFits(t, n) == nil {
		return nil
	}
	return refuse(hsm.ErrUnsupported, "choose another length and make the plan again; nothing was changed",
		"an empty token of %s %s takes PINs of %d to %d characters, and the %s would have %d", t.Manufacturer, t.Model, t.MinPIN, t.MaxPIN, whose, n)
}

// setUserPIN gives an initialised token its user PIN, unless it has one.
func setUserPIN(ctx context.Context, o Options, officerPIN, userPIN []byte) (Token, error) {
	c, err := start(ctx, o)
	if err != nil {
		return Token{}, err
	}
	defer c.close()
	token, err := o.Token.choose(c.tokens)
	if err != nil || token.State.UserPINSet {
		return token, inModule(err, o.Module)
	}
	return token, c.giveUserPIN(ctx, token, officerPIN, userPIN)
}

// giveUserPIN lets the security officer set the user's PIN.
func (c *client) giveUserPIN(ctx context.Context, token Token, officerPIN, userPIN []byte) error {
	for _, step := range []struct {
		q      request
		secret []byte
	}{
		{request{Op: "session", Slot: token.Slot, Write: true}, nil},
		{request{Op: "login", User: officer}, officerPIN},
		{request{Op: "init_pin"}, userPIN},
	} {
		if _, err := c.call(ctx, step.q, step.secret); err != nil {
			return onToken(err, token)
		}
	}
	return nil
}

// loginWorks tries the new PIN in a process of its own.
func loginWorks(ctx context.Context, o Options, token Token, pin []byte) error {
	o.Token.Serial = token.Serial
	s, err := Open(ctx, o, pin)
	if err != nil {
		return fmt.Errorf("the token was initialised, and then: %w", err)
	}
	return s.Close()
}

func initToken(ctx context.Context, o Options, label string, officerPIN []byte, userPIN int) (Token, error) {
	c, err := start(ctx, o)
	if err != nil {
		return Token{}, err
	}
	defer c.close()
	for _, t := range c.tokens {
		if t.State.Initialized && t.Label == label {
			return Token{}, inModule(refuse(hsm.ErrExists, "choose another label; nothing was changed", "token %s is there already", t), o.Module)
		}
	}
	empty, err := uninitialised(o.Token, c.tokens)
	if err == nil {
		err = errors.Join(lengthFits(empty, len(officerPIN)), lengthFits(empty, userPIN))
	}
	if err != nil {
		return Token{}, inModule(err, o.Module)
	}
	_, err = c.call(ctx, request{Op: "init_token", Slot: empty.Slot, Label: label}, officerPIN)
	return empty, err
}

// uninitialised gives the one empty token.
func uninitialised(s Selector, tokens []Token) (Token, error) {
	s.Label = ""
	var found []Token
	for _, t := range tokens {
		if !t.State.Initialized && s.matches(t) {
			found = append(found, t)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return Token{}, refuse(hsm.ErrAmbiguous, "name one of them by its serial: "+list(found), "%d tokens are empty", len(found))
	case len(tokens) == 0:
		return Token{}, refuse(hsm.ErrTokenGone, "plug a token in", "the module shows no token")
	}
	return Token{}, refuse(hsm.ErrExists, "reset the token with the vendor's tool if what is on it may go; there is "+list(tokens), "no token is empty, and one that is not is never initialised")
}

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
	confined := false
	for _, a := range spec.KeyTypes() {
		ability := spec.Capability{Algorithm: a}
		private, err := s.trial(ctx, a)
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil && errors.Is(err, hsm.ErrTokenGone) && s.client.broken != nil:
			return nil, fmt.Errorf("testing %s: %w", a.Title(), err)
		case err != nil:
			ability.Why = err.Error()
		default:
			ability.Works = true
			if ability.Copies, ability.NoCopies, err = s.copiesItself(ctx, a); err != nil {
				return nil, err
			}
		}
		c.Algorithms = append(c.Algorithms, ability)
		if err == nil && !confined {
			confined = true
			if c.Confinement, err = s.confinement(ctx, private); err != nil {
				return nil, err
			}
		}
		if private != 0 {
			if _, err := s.client.call(ctx, request{Op: "destroy", Handle: private}, nil); err != nil {
				return nil, err
			}
		}
	}
	c.Observations = s.observations(c)
	return c, nil
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
		return "", why, nil
	}
	return "", "", err
}

// trial makes a key in the session and lets it sign. The handle of a key that
// works is given for further trials.
func (s *Store) trial(ctx context.Context, a spec.Algorithm) (private uint, err error) {
	made, err := s.scratch(ctx, hsm.KeySpec{ID: []byte("pki token test " + a), Label: "pki token test", Algorithm: a}, false)
	if err != nil {
		return 0, err
	}
	return made.handle, nil
}

// scratch makes a key that is gone with the session, and lets it sign.
func (s *Store) scratch(ctx context.Context, k hsm.KeySpec, leaves bool) (*key, error) {
	p, err := s.can(k.Algorithm)
	if err != nil {
		return nil, err
	}
	publics, privates := p.templates(k.ID, k.Label, false, leaves)
	made, err := s.client.call(ctx, request{Op: "generate", Mechanism: p.generate, Public: publics, Private: privates}, nil)
	if err != nil {
		return nil, err
	}
	found, err := s.objects(ctx, request{ByID: k.ID, Full: true})
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(found, func(o object) bool { return o.Class == ckoPublic })
	if i < 0 || len(made.Handles) != 2 {
		return nil, s.fail(hsm.ErrMismatch, "send the report of pki token test to the vendor", "a public key of the session is not listed")
	}
	public, err := publicKey(found[i])
	if err != nil {
		return nil, err
	}
	scratch := &key{store: s, handle: made.Handles[1], public: public}
	if err := scratch.prove(ctx); err != nil {
		return nil, err
	}
	_, err = s.client.call(ctx, request{Op: "destroy", Handle: found[i].Handle}, nil)
	return scratch, err
}

// confinement tries to get a throw-away key out, which must be refused.
func (s *Store) confinement(ctx context.Context, private uint) ([]spec.CapabilityRefusal, error) {
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
	if err := try("read the private value", request{Op: "peek", Handle: private, Mechanism: ckaValue}); err != nil {
		return nil, err
	}
	for _, m := range []uint{ckmAESWrap, ckmAESWrapPad, ckmAESWrapKWP, ckmAESCBCPad} {
		if _, listed := s.mechanism(m); !listed {
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
func (s *Store) observations(c *spec.Capabilities) []string {
	var all []string
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
