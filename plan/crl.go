package plan

import (
	"bytes"
	"crypto/x509"
	"math/big"
	"time"

	"pki.internal/lint"
	"pki.internal/plan/tbs"
	"pki.internal/spec"
)

// crl plans an authority's next CRL when one is due.
func (m *maker) crl(a *spec.Authority) {
	own := m.materials[a.Address]
	if a.CRL == nil || a.Key == nil || own == nil || own.certificate == nil {
		return
	}
	if !own.certificate.NotAfter.After(m.in.At) {
		return // nobody believes what it signs any more
	}
	have, _ := m.state.Authority(a.Address)
	for _, g := range m.oldKeys(a, have, own) {
		m.crlOf(a, materialOf(a.Address, g), have, g)
	}
	if g, taken := m.adopted[a.Address]; taken {
		have.Address = a.Address
		have = have.counting(g.CRLNumber).with(g)
	}
	current, _ := have.At(own.ref.Generation)
	m.crlOf(a, own, have, current)
}

// crlOf plans the next list of one key when it is due.
func (m *maker) crlOf(a *spec.Authority, own *material, whole Authority, g Generation) {
	have := whole.as(g)
	last, ok := m.lastCRL(a, have)
	if !ok {
		return
	}
	entries := withImported(m.entries(a, own.ref.Generation), g)
	number, due := m.listDue(a, own, last, have, entries)
	if !due {
		m.otherLife(a, own, last)
		return
	}
	action := &CRLAction{Number: number, Issuer: own.ref, Voids: have.waiting(m.in.At)}
	action.Outputs = crlOutputs(a.Address, own.ref.Generation)
	der, ok := m.signCRL(a, own, action, m.in.At, entries, have.NewestCRL())
	if !ok {
		return
	}
	m.crlReasons[len(m.plan.Actions)] = listReason(last, entries)
	m.crlBlasts[len(m.plan.Actions)] = m.revokedBlast(a, last, entries)
	m.stack(a, own, action, der)
	m.useStore(a, own, g)
}

// signCRL adds the signing of a CRL that begins at a moment, and gives it as
// a draft.
func (m *maker) signCRL(a *spec.Authority, own *material, action *CRLAction, at time.Time, entries []tbs.Entry, previous []byte) ([]byte, bool) {
	template, err := m.crlTemplate(a, own, action.Number, at, entries, previous)
	if err != nil {
		m.diags.Report(a.CRL.Origin, "", "CRL that cannot be built", "%s.", err)
		return nil, false
	}
	above := own.certificate.NotAfter
	if previous != nil && template.NextUpdate.After(above) {
		template.NextUpdate = above // the last of its kind ends with its issuer
	}
	if template.NextUpdate.After(above) {
		m.diags.Report(a.CRL.Origin, "valid_for", "CRL outlives its issuer",
			"The CRL would count until %s, and %s ends on %s (RFC 5280 §5.1.2.5). Shorten valid_for.", stamp(template.NextUpdate), a.Address, stamp(above))
		return nil, false
	}
	action.Template = *template
	der, ok := m.draftCRL(a, action, own, previous)
	if ok {
		m.add(Action{Kind: SignCRL, Address: a.Address, SignCRL: action})
		m.numbers[a.Address] = decimal(action.Number)
	}
	return der, ok
}

// lastCRL gives the newest list of the ledger that counts, signed ahead or
// not, nil before the first.
func (m *maker) lastCRL(a *spec.Authority, have Authority) (*x509.RevocationList, bool) {
	newest := have.NewestCRL()
	if newest == nil {
		return nil, true
	}
	last, err := x509.ParseRevocationList(newest)
	if err != nil {
		m.diags.Report(a.CRL.Origin, "", "CRL in the ledger cannot be read", "%s. Run pki verify.", err)
	}
	return last, err == nil
}

// listDue gives the number of the next CRL and whether it is time for it: the
// first belongs to the ceremony that makes the key, a later one comes when a
// revocation or another URL does, issue_every after the last that was signed,
// or from the middle of its life when issue_every is not written. A CRL that an
// online CA signs is its own affair after the first. The number is above every
// one that was ever signed, by whichever key of the authority and void ones
// included, so that none is ever that of two lists of one issuer name
// (RFC 5280 §5.2.3).
func (m *maker) listDue(a *spec.Authority, own *material, last *x509.RevocationList, have Authority, entries []tbs.Entry) (string, bool) {
	highest := decimal(have.HighestCRL)
	if planned := m.numbers[a.Address]; planned != nil {
		highest = planned
	}
	next := new(big.Int).Add(highest, big.NewInt(1)).String()
	if last == nil {
		return next, true
	}
	if m.estate.SignsOwnCRL(a) {
		m.revokedElsewhere(a)
		return "", false
	}
	if a.CRL.OnTimer {
		return "", false // pki crl sign takes the estate's revocations along
	}
	return next, !sameEntries(last, entries) || m.scopeChanged(a, own, last) || !m.in.At.Before(RenewFrom(a.CRL, last.ThisUpdate, last.NextUpdate))
}

// otherLife says that a list which is not due lives longer or shorter than the
// estate wants by now: that alone calls nobody to a ceremony, and a plan that
// says nothing would leave the impression that it has happened.
func (m *maker) otherLife(a *spec.Authority, own *material, last *x509.RevocationList) {
	if last == nil || a.CRL.OnTimer || a.CRL.Presign > 0 || !own.described(a) || own.imported || m.estate.SignsOwnCRL(a) {
		return
	}
	want := a.CRL.ValidFor.Last(last.ThisUpdate)
	if end := last.NextUpdate; end.Equal(want) || end.Equal(own.certificate.NotAfter) {
		return
	}
	due := RenewFrom(a.CRL, last.ThisUpdate, last.NextUpdate)
	m.diags.Warn(a.CRL.Origin, "valid_for", "CRL of another length",
		"CRL %s of %s counts from %s until %s, which was not made for valid_for = %q. The next list has that length; it is due on %s, or with the next revocation, and no ceremony is planned for this alone.",
		last.Number, a.Address, stamp(last.ThisUpdate), stamp(last.NextUpdate), a.CRL.ValidFor, stamp(due))
}

// described reports whether the estate speaks of this key: its block is that of
// the newest generation, also while that waits for its certificate.
func (m *material) described(a *spec.Authority) bool {
	return m == nil || m.ref.Generation == a.KeyGeneration()
}

// scopeChanged reports whether the estate wants another issuing distribution
// point than the last list of the newest key has.
func (m *maker) scopeChanged(a *spec.Authority, own *material, last *x509.RevocationList) bool {
	scope, scoped := m.scope(a)
	if !scoped || !own.described(a) || own.imported {
		return false
	}
	want, err := tbs.IssuingDistributionPoint(scope.urls, scope.onlyCA)
	have, _ := scopeOf(last)
	return err == nil && !bytes.Equal(have.Value, want.Value)
}

// RenewFrom gives when the successor of a CRL is due.
func RenewFrom(c *spec.CRL, thisUpdate, nextUpdate time.Time) time.Time {
	if c.IssueEvery.IsZero() {
		return thisUpdate.Add(nextUpdate.Sub(thisUpdate) / 2)
	}
	return c.IssueEvery.From(thisUpdate)
}

// DueNext gives when the next CRL is planned, for a CRL that starts at.
func DueNext(c *spec.CRL, at time.Time) time.Time {
	if c.IssueEvery.IsZero() {
		return time.Time{}
	}
	return c.IssueEvery.From(at)
}

func (m *maker) crlTemplate(a *spec.Authority, own *material, number string, at time.Time, entries []tbs.Entry, previous []byte) (*tbs.CRL, error) {
	authorityKeyID, err := m.authorityKeyID(own)
	if err != nil {
		return nil, err
	}
	crlNumber, err := tbs.CRLNumber(number)
	if err != nil {
		return nil, err
	}
	extensions := []tbs.Extension{authorityKeyID, crlNumber}
	if last, err := x509.ParseRevocationList(previous); err == nil && (own.imported || !own.described(a)) {
		// The certificates of an old or imported key name its old URLs.
		if scope, scoped := scopeOf(last); scoped {
			extensions = append(extensions, scope)
		}
	} else if scope, scoped := m.scope(a); scoped {
		extension, err := tbs.IssuingDistributionPoint(scope.urls, scope.onlyCA)
		if err != nil {
			return nil, err
		}
		extensions = append(extensions, extension)
	}
	if extensions, err = m.mark(extensions); err != nil {
		return nil, err
	}
	return &tbs.CRL{
		Signature: own.ref.Algorithm, Issuer: own.certificate.RawSubject,
		ThisUpdate: at, NextUpdate: a.CRL.ValidFor.Last(at),
		Entries:    entries,
		Extensions: extensions,
	}, nil
}

// crlScope is what an issuing distribution point says.
type crlScope struct {
	urls   []string
	onlyCA bool
}

// scope says which certificates an authority's CRL speaks for: the URLs are
// those in the certificates, from the one HCL value. A root's own certificate
// has no distribution point, so a named one in its CRL would make verifiers
// that check every certificate of a chain (openssl -crl_check_all, nginx)
// refuse the root itself as out of scope; its CRL says only that it is about
// CA certificates.
func (m *maker) scope(a *spec.Authority) (crlScope, bool) {
	s := crlScope{urls: a.CRL.URLs, onlyCA: !m.estate.IssuesLeaves(a)}
	if a.IsRoot() {
		s.urls = nil
	}
	return s, len(s.urls) > 0 || s.onlyCA
}

// draftCRL builds and lints a CRL as of the day on which it begins, which for
// one that is signed ahead is the day of its release.
func (m *maker) draftCRL(a *spec.Authority, action *CRLAction, own *material, previous []byte) ([]byte, bool) {
	built, err := action.Template.Build(tbs.Keys{IssuerID: own.certificate.SubjectKeyId})
	if err != nil {
		m.diags.Report(a.CRL.Origin, "", "CRL that cannot be built", "%s.", err)
		return nil, false
	}
	der, err := m.complete(&action.Draft, built, own, own.real())
	if err != nil {
		m.diags.Report(a.CRL.Origin, "", "CRL that cannot be built", "%s.", err)
		return nil, false
	}
	begins := action.Template.ThisUpdate
	issuer, state := own.certificate.Raw, m.state
	m.judgeLater(a.CRL.Origin, "CRL", &action.Draft, func() []lint.Finding {
		object := LintCRL(m.estate, state, a, action)
		object.DER, object.Draft, object.Issuer, object.Previous = der, true, issuer, previous
		return m.linter.CRL(object, begins)
	})
	return der, true
}

// nextSigning gives when the CRL after one is planned; none follows one that
// ends with its issuer.
func nextSigning(c *spec.CRL, t *tbs.CRL) time.Time {
	next := DueNext(c, t.ThisUpdate)
	if t.NextUpdate.Before(c.ValidFor.Last(t.ThisUpdate)) && next.After(t.NextUpdate) {
		return time.Time{}
	}
	return next
}
