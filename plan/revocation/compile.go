package revocation

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"pki.internal/lint/crlwalk"
	"pki.internal/plan/tbs"
	"pki.internal/spec"
)

// Rules are what the records of a list are held against.
type Rules struct {
	ThisUpdate int64 // of the list to be signed
	OnlyCA     bool  // the list speaks of CA certificates alone
	// Issued are the serial numbers that the issuer is known to have used; nil
	// when nobody knows. A slip of the pen would leave the bad certificate good.
	Issued *Known
	// Keep says which records belong on this list, when it is one of several
	// that share the certificates of an issuer; nil keeps all. It is asked by
	// ascending numbers.
	Keep func(Serial) (bool, error)
	// Delta makes a list of what changed since the list before, which is its
	// base (RFC 5280 §5.2.4).
	Delta bool
}

// Previous is the list that will be replaced.
type Previous struct {
	ThisUpdate int64
	Entries    int
	// Each hands out the entries by ascending serial number.
	Each func(visit func(*Record) error) error
}

// Objection is a reason not to let a list replace the one before. Whoever
// knows better can overrule it, and says why.
type Objection struct {
	Rule   string `json:"rule"`
	Detail string `json:"detail"`
}

// Summary says what became of the records.
type Summary struct {
	Entries int `json:"entries"`
	Added   int `json:"added"`   // not in the list before
	Changed int `json:"changed"` // another date or reason than before
	Merged  int `json:"merged"`  // said more than once
	Expired int `json:"expired"` // left out: expired, and on one list since
	Lifted  int `json:"lifted"`  // were on hold before and are valid again
	// Vanished were in the list before; nobody speaks of them any more.
	Vanished int `json:"vanished"`
	// Size is the octets of all entries together.
	Size       int64       `json:"-"`
	Objections []Objection `json:"objections,omitempty"`
}

// compiler merges records with the list before.
type compiler struct {
	rules    Rules
	previous *Previous
	out      io.Writer
	buf      []byte
	sum      Summary
	refused  examples // records that no list may hold
	// caReasons are those of them whose reason a CA's revocation must not have.
	caReasons int
	weakened  examples
	later     examples
	vanished  examples
}

// Compile writes the entries of the next list to out, in DER and by ascending
// serial number. A record that no list may hold is an error; what the list
// before speaks against is an objection. previous is nil for a first list.
func Compile(records Source, previous *Previous, rules Rules, out io.Writer) (Summary, error) {
	c := &compiler{rules: rules, previous: previous, out: out}
	var r Record
	next := func() (bool, error) { return c.next(records, &r) }
	more, err := next()
	if err != nil {
		return c.sum, err
	}
	if previous != nil {
		err = previous.Each(func(p *Record) error {
			for more && r.Serial.Compare(p.Serial) < 0 {
				if err := c.add(&r, nil); err != nil {
					return err
				}
				if more, err = next(); err != nil {
					return err
				}
			}
			if !more || r.Serial != p.Serial {
				return c.gone(p)
			}
			if err := c.add(&r, p); err != nil {
				return err
			}
			more, err = next()
			return err
		})
	}
	for err == nil && more {
		if err = c.add(&r, nil); err == nil {
			more, err = next()
		}
	}
	if err == nil {
		err = c.flush()
	}
	c.sum.Merged = records.Repeated()
	return c.sum, c.end(err)
}

// add takes a record into the list. p is its entry in the list before, nil
// when it has none.
func (c *compiler) add(r, p *Record) error {
	if c.rules.Issued != nil {
		known, err := c.rules.Issued.Has(r.Serial)
		if err != nil {
			return err
		}
		if !known {
			c.refused.add(r.String() + ": the issuer is not known to have issued such a certificate")
			return nil
		}
	}
	if fault := c.fault(r); fault != "" {
		c.refused.add(r.String() + ": " + fault)
		return nil
	}
	if c.expired(r, p) {
		c.sum.Expired++
		return nil
	}
	switch {
	case p == nil:
		c.sum.Added++
	case r.Reason != p.Reason || r.Date != p.Date:
		c.sum.Changed++
		if weaker(p.Reason, r.Reason) {
			c.weakened.add(fmt.Sprintf("%s: %s, and %s before", r.Serial, r.Reason, p.Reason))
		}
		// A certificate on hold that is now revoked for good may get a new date.
		if r.Date > p.Date && p.Reason != spec.CertificateHold {
			c.later.add(fmt.Sprintf("%s: %s, and %s before", r.Serial, stamp(r.Date), stamp(p.Date)))
		}
	}
	if c.rules.Delta && p != nil && r.Reason == p.Reason && r.Date == p.Date {
		return nil // the base says it
	}
	return c.write(r.entry())
}

// next gives the next record that belongs on this list.
func (c *compiler) next(records Source, r *Record) (bool, error) {
	for {
		more, err := records.Next(r)
		if err != nil || !more || c.rules.Keep == nil {
			return more, err
		}
		if keep, err := c.rules.Keep(r.Serial); keep || err != nil {
			return keep, err
		}
	}
}

func (c *compiler) write(entry tbs.PackedEntry) error {
	before := len(c.buf)
	var err error
	if c.buf, err = entry.Append(c.buf); err != nil {
		return err
	}
	c.sum.Entries++
	c.sum.Size += int64(len(c.buf) - before)
	if len(c.buf) >= flushSize {
		return c.flush()
	}
	return nil
}

// flushSize is how many octets of entries are written at a time.
const flushSize = 256 << 10

func (c *compiler) flush() error {
	_, err := c.out.Write(c.buf)
	c.buf = c.buf[:0]
	return err
}

// fault says why no list may hold a record.
func (c *compiler) fault(r *Record) string {
	switch {
	case r.Serial[0] >= 0x80:
		return "its serial number takes 21 octets in a certificate and in a list, and 20 are the most that anybody must read (RFC 5280 §4.1.2.2)"
	case r.Date > c.rules.ThisUpdate:
		return "it is revoked only after this list is issued"
	case r.Reason == spec.RemoveFromCRL:
		return "removeFromCRL belongs into delta lists (RFC 5280 §5.3.1)"
	case c.rules.OnlyCA:
		if err := CheckCAReason(r.Reason); err != nil {
			c.caReasons++
			return err.Error()
		}
	}
	return ""
}

// expired reports whether an entry may leave: its certificate has expired,
// and it has stood on a list that was issued after that (RFC 5280 §3.3). One
// that is not on the list before has left already, unless it was revoked since.
func (c *compiler) expired(r, p *Record) bool {
	if r.Expires == Unknown || c.previous == nil || r.Expires >= c.previous.ThisUpdate {
		return false
	}
	return p != nil || r.Date <= c.previous.ThisUpdate
}

// gone notes an entry of the list before that nobody speaks of any more. Only
// a hold can be lifted (RFC 5280 §5.3.1).
func (c *compiler) gone(p *Record) error {
	if p.Reason != spec.CertificateHold {
		c.sum.Vanished++
		c.vanished.add(p.Serial.String())
		return nil
	}
	c.sum.Lifted++
	if !c.rules.Delta {
		return nil
	}
	// RFC 5280 §5.3.1: a delta list says so, because the base does not.
	return c.write(tbs.PackedEntry{Serial: p.Serial[:], Date: c.rules.ThisUpdate, Reason: int(spec.RemoveFromCRL), Removed: true})
}

// weaker reports whether a reason takes back what another has said.
func weaker(before, now spec.Reason) bool {
	compromise := func(r spec.Reason) bool { return r == 1 || r == 2 || r == 10 }
	switch {
	case before == now, before == spec.CertificateHold:
		return false
	case now == spec.CertificateHold:
		return true // what is revoked for good cannot be held
	case now == spec.Unspecified:
		return true
	}
	return compromise(before) && !compromise(now)
}

// end turns what was noted into an error and objections.
func (c *compiler) end(err error) error {
	if err != nil {
		return err
	}
	if c.refused.count > 0 {
		err := fmt.Errorf("%d of the revocations cannot be on a CRL: %s", c.refused.count, c.refused.text("; "))
		if c.caReasons > 0 {
			err = &caReasonError{err}
		}
		return err
	}
	object := func(rule, format string, args ...any) {
		c.sum.Objections = append(c.sum.Objections, Objection{rule, fmt.Sprintf(format, args...)})
	}
	if c.previous != nil && c.sum.Entries == 0 && c.sum.Vanished > 0 {
		object(RuleEmpty, "the list before revokes %d certificates, and this one none", c.previous.Entries)
	}
	if c.vanished.count > 0 {
		object(RuleVanished, "serial number %s: in the list before, and nobody speaks of it any more: revoked certificates would be good again", c.vanished.text(", "))
	}
	if c.weakened.count > 0 {
		object(RuleWeakened, "the reason is weaker than before: %s", c.weakened.text("; "))
	}
	if c.later.count > 0 {
		object(RuleLater, "the date of revocation is later than before: %s", c.later.text("; "))
	}
	return nil
}

// ErrCAReason means that a list about CAs has revocations with a reason that a
// CA's must not have.
var ErrCAReason = errors.New("the reason is not one for a CA")

type caReasonError struct{ error }

func (*caReasonError) Is(target error) bool { return target == ErrCAReason }

// Rules that an objection names.
const (
	RuleVanished = "e_crlx_entry_vanished"
	RuleEmpty    = "e_crlx_suddenly_empty"
	RuleWeakened = "e_crlx_reason_weakened"
	RuleLater    = "e_crlx_revocation_date_later"
)

// examples counts, and keeps the first few.
type examples struct {
	count int
	few   []string
}

// maxExamples is how many a message spells out.
const maxExamples = 5

func (e *examples) add(text string) {
	if e.count++; len(e.few) < maxExamples {
		e.few = append(e.few, text)
	}
}

func (e *examples) text(separator string) string {
	text := strings.Join(e.few, separator)
	if more := e.count - len(e.few); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// FromList makes a Previous of a list that is sorted, read anew by walk each
// time it is asked.
func FromList(l *crlwalk.List, walk func(visit func(*crlwalk.Entry) error) error) *Previous {
	return &Previous{
		ThisUpdate: l.ThisUpdate.Unix(), Entries: l.Entries,
		Each: func(visit func(*Record) error) error {
			return walk(func(e *crlwalk.Entry) error {
				r, err := FromEntry(e)
				if err != nil {
					return err
				}
				return visit(&r)
			})
		},
	}
}
