package pkcs11

import (
	"context"
	"errors"

	"pki.internal/hsm"
)

// padded adds to a refused login that the token has a pad of its own.
func padded(err error) error {
	var e *Error
	if errors.As(err, &e) {
		e.Next += "; the token has a PIN pad, so write pin_pad = true in place of pin, or give --pin-pad, if the PIN belongs there"
	}
	return err
}

// triesLeft adds to a refused PIN what the token says of its tries now. Half of
// the modules never say it.
func (c *client) triesLeft(ctx context.Context, err error, token Token) error {
	var e *Error
	if !errors.As(err, &e) || !errors.Is(err, hsm.ErrWrongPIN) {
		return err
	}
	r, asked := c.call(ctx, request{Op: "tokens"}, nil)
	if asked != nil {
		return err // the PIN was refused, and that is what is said
	}
	says := "does not say how many tries are left"
	for _, t := range r.Tokens {
		switch s := t.Token.State; {
		case t.Slot != token.Slot:
		case s.PINLocked:
			says = "is locked now: the security officer's PIN or the vendor's reset unlocks it"
		case s.PINFinalTry:
			says = "has one try left before it locks"
		}
	}
	e.Next += "; the token " + says
	return err
}

// mayLogIn refuses a try that would be wasted, or that could be the last.
func mayLogIn(t Token, o Options, pin []byte) error {
	s := t.State
	switch {
	case s.PINLocked:
		return refuse(hsm.ErrPINLocked, "the security officer's PIN or the vendor's reset unlocks it", "token %s is locked after too many wrong PINs", t)
	case s.PINFinalTry && !o.LastTry:
		return refuse(hsm.ErrPINLocked, "find out why the PIN was wrong before, then allow the last try with --last-pin-try", "token %s has one try left before it locks", t)
	case !s.UserPINSet:
		return refuse(hsm.ErrToken, "initialise it with pki token init", "token %s has no user PIN yet", t)
	case o.PINPad && !s.PINPad:
		return refuse(hsm.ErrUnsupported, "give the PIN instead of pin_pad", "token %s has no pin pad", t)
	case o.PINPad:
		return nil
	}
	return lengthFits(t, len(pin))
}

// lengthFits keeps a PIN of a length that the token cannot have from costing
// a try.
func lengthFits(t Token, n int) error {
	if n == 0 {
		return refuse(hsm.ErrWrongPIN, "give the PIN", "the PIN is empty, and was not tried")
	}
	// Some modules leave the limits at zero, which says nothing.
	if uint(n) < t.MinPIN || t.MaxPIN > 0 && uint(n) > t.MaxPIN {
		return refuse(hsm.ErrWrongPIN, "give the PIN of this token", "token %s takes PINs of %d to %d characters, and this one has %d, so it was not tried", t, t.MinPIN, t.MaxPIN, n)
	}
	return nil
}
