package pkcs11

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"pki.internal/hsm"
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

	Amiss bool `json:"-"` // it is half a pair, or has a twin
}

// Says puts into words what the token claims of a private key.
func (o Object) Says() string {
	var may, is []string
	for _, name := range []string{"sign", "decrypt", "unwrap", "derive", "sign_recover"} {
		if o.Flags[name] {
			may = append(may, strings.ReplaceAll(name, "_", " "))
		}
	}
	if len(may) == 0 {
		may = []string{"do nothing that pki knows of"}
	}
	for _, f := range []struct{ name, yes, no string }{
		{"sensitive", "sensitive", "READABLE"}, {"extractable", "MAY LEAVE THE TOKEN", "not extractable"}, {"never_extractable", "never was", "was extractable once, or came from elsewhere"},
		{"local", "made on the token", "not said to be made on the token"}, {"always_authenticate", "wants the PIN for each signature", ""}, {"wrap_with_trusted", "wrapped by trusted keys only", ""},
	} {
		value, told := o.Flags[f.name]
		if word := map[bool]string{true: f.yes, false: f.no}[value]; told && word != "" {
			is = append(is, word)
		}
	}
	return "may " + strings.Join(may, ", ") + "; " + strings.Join(is, ", ")
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
	have, keys := map[string]int{}, map[string]string{} // a private key is of its public half's kind
	of := func(class uint, id []byte) string { return fmt.Sprintf("%d %x", class, id) }
	for _, o := range all {
		have[of(o.Class, o.ID)]++
	}
	shown := make([]Object, 0, len(all))
	for _, o := range all {
		one := Object{Class: className(o.Class), ID: fmt.Sprintf("%x", o.ID), Label: clean(o.Label), Flags: o.Flags}
		if o.Class == ckoPublic {
			if public, err := publicKey(o); err == nil {
				one.Key = string(algorithmOf(public))
				one.SPKI, _ = spkiOf(public) // a key that Go cannot encode is shown without
				keys[one.ID] = one.Key
			} else {
				one.Note = err.Error()
			}
		}
		other := map[uint]uint{ckoPublic: ckoPrivate, ckoPrivate: ckoPublic}[o.Class]
		switch {
		case other == 0:
		case have[of(o.Class, o.ID)] > 1:
			one.Note, one.Amiss = "twin: another one has this id", true
		case have[of(other, o.ID)] == 0 && (complete || o.Class == ckoPrivate):
			one.Note, one.Amiss = "half a pair: the "+className(other)+" is missing", true
		}
		if o.Class == ckoPrivate {
			one.Key = keys[one.ID]
		}
		if o.Label == testLabel && one.Note == "" {
			one.Note = "left of a pki token test; may be removed"
		}
		shown = append(shown, one)
	}
	return shown
}

// Survey tells of half pairs, twins and objects that cannot be read.
func (s *Store) Survey(ctx context.Context) ([]string, error) {
	all, err := s.objects(ctx, request{})
	if err != nil {
		return nil, err
	}
	var amiss []string
	for _, o := range readable(all, true) {
		switch {
		case o.Class == className(unreadable):
			amiss = append(amiss, fmt.Sprintf("token %q holds an object that cannot be read", s.token.Label))
		case o.Amiss:
			amiss = append(amiss, fmt.Sprintf("token %q holds a %s with label %q and id %s: %s", s.token.Label, o.Class, o.Label, o.ID, o.Note))
		}
	}
	return amiss, nil
}

// Init makes an empty token ready: label, security officer's PIN, user PIN.
// A token that was ever initialised is refused, because C_InitToken destroys
// whatever is on it without asking. The caller wipes the PINs.
func Init(ctx context.Context, o Options, label string, officerPIN, userPIN []byte) (Token, error) {
	if label == "" || len(label) > 32 {
		return Token{}, refuse(hsm.ErrUnsupported, "choose a label of 1 to 32 bytes", "%q has %d bytes and cannot be the label of a token", label, len(label))
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
