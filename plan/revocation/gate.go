package revocation

import (
	"bytes"
	"fmt"
	"math/big"
	"time"

	"pki.internal/lint/crlwalk"
)

// Head is what a list that is to be signed says of itself.
type Head struct {
	ThisUpdate time.Time
	NextUpdate time.Time
	Scope      []byte // issuing distribution point in DER, nil without one
}

// Rules that an objection to the head of a list names.
const (
	RuleIssuer = "e_crlx_signature_not_by_issuer"
	RuleDates  = "e_crlx_dates_backwards"
	RuleScope  = "e_crlx_scope_changed"
)

// NextNumber gives the number of the list after l: wanted, or the next one
// when wanted is nil. It is strictly above every number that was used
// (RFC 5280 §5.2.3), and nobody can overrule that.
func NextNumber(l *crlwalk.List, wanted *big.Int) (*big.Int, error) {
	last := l.Number()
	switch {
	case last == nil && wanted == nil:
		return nil, fmt.Errorf("the list before has no number; give the first one with --number")
	case wanted == nil:
		wanted = new(big.Int).Add(last, big.NewInt(1))
	case last != nil && wanted.Cmp(last) <= 0:
		return nil, fmt.Errorf("number %s is not above that of the list before, %s (RFC 5280 §5.2.3)", wanted, last)
	}
	// RFC 5280 §5.2.3: at most 20 octets, and one bit of them is the sign.
	if wanted.Sign() <= 0 || wanted.BitLen() > 159 {
		return nil, fmt.Errorf("number %s is not between 1 and 2^159-1 (RFC 5280 §5.2.3)", wanted)
	}
	return wanted, nil
}

// Stranger objects to a list before that is not the issuer's: signed is what
// checking its issuer and signature gave. Nothing that it says counts, so this
// comes before its number is looked at.
func Stranger(signed error) []Objection {
	if signed == nil {
		return nil
	}
	return []Objection{{RuleIssuer, fmt.Sprintf("the list before is not by this issuer: %s", signed)}}
}

// Succession holds the head of a list against the list before. signed is what
// checking that list's issuer and signature gave.
func Succession(next Head, before *crlwalk.List, signed error) []Objection {
	all := Stranger(signed)
	if next.ThisUpdate.Equal(before.ThisUpdate) {
		all = append(all, Objection{RuleDates, fmt.Sprintf("this list and the list before are both of %s: run the command again in a second", stamp(next.ThisUpdate.Unix()))})
	} else if next.ThisUpdate.Before(before.ThisUpdate) {
		all = append(all, Objection{RuleDates, fmt.Sprintf("this list is of %s, and the list before of %s: a clock is wrong",
			stamp(next.ThisUpdate.Unix()), stamp(before.ThisUpdate.Unix()))})
	}
	if next.NextUpdate.Before(before.NextUpdate) {
		all = append(all, Objection{RuleDates, fmt.Sprintf("this list ends on %s, and the list before on %s: who holds that one looks for no other until then",
			stamp(next.NextUpdate.Unix()), stamp(before.NextUpdate.Unix()))})
	}
	var scope []byte
	if e := before.Extension(crlwalk.OIDIDP); e != nil {
		scope = e.Value
	}
	if !bytes.Equal(scope, next.Scope) {
		all = append(all, Objection{RuleScope, "the issuing distribution point is not that of the list before: certificates name the old one"})
	}
	return all
}
