package plan

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"

	"pki.internal/spec"
)

// Appointment is one date of a PKI's calendar: something ends, and an action
// comes before it.
type Appointment struct {
	Kind   string    `json:"kind"`   // ceremony, certificate, crl, release, waiver, ocsp, drill or loss
	Object string    `json:"object"` // an address, or the name of a file
	What   string    `json:"what"`   // such as "CRL number 3"
	From   time.Time `json:"from"`   // when the action may begin
	Until  time.Time `json:"until"`  // when it is too late
	Action string    `json:"action"` // in the imperative
}

// Kinds of appointment.
const (
	ForCeremony    = "ceremony"    // one was interrupted
	ForCertificate = "certificate" // it ends
	ForCRL         = "crl"         // it ends, and a signature comes before
	ForRelease     = "release"     // its successor is signed already
	ForWaiver      = "waiver"      // it ends
	ForAnswer      = "ocsp"        // it ends, and a signature comes before
	ForDrill       = "drill"       // shares or keys were not proven for long
	ForLoss        = "loss"        // shares are lost
)

// Calendar lists what ends and what comes next, the earliest end first. The
// estate may be nil: then the ledger alone speaks. published gives what lies
// under an authority's name in crls/, nil where nobody looked.
func Calendar(e *spec.Estate, s State, published map[spec.Address][]byte, now time.Time) []Appointment {
	c := &calendar{estate: e, state: s, now: now}
	if s.Open != nil {
		c.add(Appointment{
			Kind: ForCeremony, Object: s.Estate, What: fmt.Sprintf("ceremony with %d of %d actions done", s.Open.Done, len(s.Open.Plan.Actions)),
			From: s.LastTime, Until: s.LastTime, Action: "go on with pki apply PLAN --resume",
		})
	}
	for _, a := range s.Authorities() {
		c.certificate(a)
		c.crl(a, published[a.Address])
		c.answer(a)
	}
	c.drills()
	c.failedDrills()
	c.restoreDrills()
	c.responders()
	if e != nil {
		for _, w := range e.Lint.Waivers {
			if until, err := time.Parse(time.DateOnly, w.Until); err == nil {
				c.add(Appointment{Kind: ForWaiver, Object: w.Object.String(), What: "waiver of " + w.Lint, From: until, Until: until, Action: "mend the finding, or decide anew"})
			}
		}
	}
	slices.SortStableFunc(c.all, func(a, b Appointment) int {
		return cmp.Or(a.Until.Compare(b.Until), strings.Compare(a.Object, b.Object), strings.Compare(a.What, b.What))
	})
	return c.all
}

type calendar struct {
	estate *spec.Estate
	state  State
	now    time.Time
	all    []Appointment
}

func (c *calendar) add(a Appointment) {
	a.From, a.Until = a.From.UTC(), a.Until.UTC()
	c.all = append(c.all, a)
}

// certificate says when an authority's certificate ends, its successor being
// planned in the last tenth of its life; and from when on nothing new that
// counts for as long as the estate says can be signed with it.
func (c *calendar) certificate(a Authority) {
	own, err := x509.ParseCertificate(a.Certificate)
	if err != nil {
		return // not signed yet
	}
	from := own.NotAfter.Add(-own.NotAfter.Sub(own.NotBefore) / 10)
	c.add(Appointment{Kind: ForCertificate, Object: a.Address.String(), What: "certificate", From: from, Until: own.NotAfter, Action: "plan its successor"})
	described := c.described(a.Address)
	if described == nil {
		return
	}
	for _, child := range c.estate.Children(described) {
		v := child.Validity
		last := own.NotAfter.AddDate(-v.Years, -v.Months, -v.Days).Add(-time.Duration(v.Hours) * time.Hour)
		if last.After(c.now) && last.After(own.NotBefore) {
			c.add(Appointment{
				Kind: ForCertificate, Object: a.Address.String(), What: "last day to sign " + child.Address.String() + " for " + v.String(),
				From: last.AddDate(-1, 0, 0), Until: last, Action: "renew what hangs below it, or plan its successor",
			})
		}
	}
}

// answer says when the answer about an authority's certificate ends, while its
// issuer signs such.
func (c *calendar) answer(a Authority) {
	issuer := c.described(a.Issuer)
	if a.OCSP == nil || issuer == nil || issuer.OCSP == nil {
		return
	}
	t := a.OCSP.Template
	from := t.ThisUpdate.Add(t.NextUpdate.Sub(t.ThisUpdate) / 2)
	if !issuer.OCSP.IssueEvery.IsZero() {
		from = issuer.OCSP.IssueEvery.From(t.ThisUpdate)
	}
	c.add(Appointment{Kind: ForAnswer, Object: a.Address.String(), What: "OCSP response", From: from, Until: t.NextUpdate, Action: "hold a ceremony: pki plan --out FILE"})
}

func (c *calendar) described(a spec.Address) *spec.Authority {
	if c.estate == nil {
		return nil
	}
	i := slices.IndexFunc(c.estate.Authorities, func(x *spec.Authority) bool { return x.Address == a })
	if i < 0 {
		return nil
	}
	return c.estate.Authorities[i]
}

// crl lists what there is to do about an authority's CRLs: every release, and
// the ceremony after the last. CRLs that something else signs after the first
// are not in the ledger.
func (c *calendar) crl(a Authority, published []byte) {
	current, err := x509.ParseRevocationList(a.CRL)
	if err != nil {
		return
	}
	described := c.described(a.Address)
	if described != nil && described.CRL != nil && (described.CRL.OnTimer || c.estate.SignsOwnCRL(described)) {
		return
	}
	if own, err := x509.ParseCertificate(a.Certificate); err == nil && !own.NotAfter.After(c.now) {
		return // nobody believes what it signs any more
	}
	number, begin, end := a.CRLNumber, current.ThisUpdate, current.NextUpdate
	for _, p := range a.Stack {
		if p.ThisUpdate.After(c.now) {
			c.release(a, p, end)
		}
		number, begin, end = p.Number, p.ThisUpdate, p.NextUpdate
	}
	c.overdue(a, published)
	from := begin.Add(end.Sub(begin) / 2)
	if described != nil && described.CRL != nil {
		from = RenewFrom(described.CRL, begin, end)
	}
	c.add(Appointment{Kind: ForCRL, Object: a.Address.String(), What: "CRL number " + number, From: from, Until: end, Action: "hold a ceremony: pki plan --out FILE"})
}

func (c *calendar) release(a Authority, p PresignedCRL, end time.Time) {
	c.add(Appointment{
		Kind: ForRelease, Object: a.Address.String(), What: "CRL number " + p.Number, From: p.ThisUpdate, Until: end,
		Action: "pki crl release " + a.Address.Name,
	})
}

// overdue says that the CRL under an authority's name is not the one for now.
func (c *calendar) overdue(a Authority, published []byte) {
	due, number := a.Due(c.now)
	if published == nil || due == nil || bytes.Equal(published, due) {
		return
	}
	there, err := x509.ParseRevocationList(published)
	want, wantErr := x509.ParseRevocationList(due)
	if err != nil || wantErr != nil {
		return // pki verify says that it is damaged
	}
	c.add(Appointment{
		Kind: ForRelease, Object: a.Address.String(), What: "CRL number " + number, From: want.ThisUpdate, Until: there.NextUpdate,
		Action: "pki crl release " + a.Address.Name + ", which has not run",
	})
}
