package shamir

import (
	"errors"
	"fmt"
)

// The kinds of fault. errors.Is tells them apart.
var (
	ErrTooFew    = errors.New("too few shares")
	ErrMixed     = errors.New("shares of several sets")
	ErrDuplicate = errors.New("a share twice")
	ErrDamaged   = errors.New("a damaged share")
	ErrPurpose   = errors.New("another purpose")
	ErrNotInSet  = errors.New("not a share of this set")
	ErrEncrypted = errors.New("an encrypted share")
	ErrUnknown   = errors.New("not a share")
)

// Fault says why shares are refused: which share and which line, what is the
// matter, and what to do about it.
type Fault struct {
	Kind  error  // one of the kinds above
	Share string // "share 2 (bob)", empty when no single share is to blame
	Line  int    // of words, from 1; 0 when no line is to blame
	Fact  string
	Next  string
}

// Error gives the fact with its place.
func (f *Fault) Error() string {
	text := f.Fact
	if f.Line > 0 {
		text = fmt.Sprintf("line %d: %s", f.Line, text)
	}
	if f.Share != "" {
		text = f.Share + ": " + text
	}
	return text
}

// Unwrap gives the kind.
func (f *Fault) Unwrap() error { return f.Kind }
