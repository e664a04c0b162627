package plan

import (
	"crypto/x509"
	"math/big"
	"time"

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
	last, ok := m.lastCRL(a, have)
	if !ok {
		return
	}
	entries := m.entries(a)
	number, due := m.due(a, last, have, entries)
	if !due {
		return
	}
	action := &CRLAction{Number: number, Issuer: own.ref, Voids: have.waiting(m.in.At)}
	action.Outputs = crlOutputs(a.Address)
	der, ok := m.signCRL(a, own, action, m.in.At, entries, have.NewestCRL())
	if !ok {
		return
	}
	m.stack(a, own, action, der)
	m.useSecret(a.Key.Store.Password)
}

// signCRL adds the signing of a CRL that begins at a moment, and gives it as
// a draft.
func (m *maker) signCRL(a *spec.Authority, own *material, action *CRLAction, at time.Time, entries []tbs.Entry, previous []byte) ([]byte, bool) {
	template, err := m.crlTemplate(a, own, action.Number, at, entries)
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

// due gives the number of the next CRL and whether it is time for it: the
// first belongs to the ceremony that makes the authority, a later one comes
// when a revocation does, issue_every after the last that was signed, or from
// the middle of its life when issue_every is not written. A CRL that an online
// CA signs is its own affair after the first. The number is above every one
// that was ever signed, void ones included.
func (m *maker) due(a *spec.Authority, last *x509.RevocationList, have Authority, entries []tbs.Entry) (string, bool) {
	if last == nil {
		return "1", true
	}
	if m.estate.SignsOwnCRL(a) {
		m.revokedElsewhere(a)
		return "", false
	}
	if a.CRL.OnTimer {
		return "", false // pki crl sign takes the estate's revocations along
	}
	next := new(big.Int).Add(decimal(have.HighestCRL), big.NewInt(1))
	return next.String(), !sameEntries(last, entries) || !m.in.At.Before(RenewFrom(a.CRL, last.ThisUpdate, last.NextUpdate))
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

func (m *maker) crlTemplate(a *spec.Authority, own *material, number string, at time.Time, entries []tbs.Entry) (*tbs.CRL, error) {
	authorityKeyID, err := m.authorityKeyID(own)
	if err != nil {
		return nil, err
	}
	crlNumber, err := tbs.CRLNumber(number)
	if err != nil {
		return nil, err
	}
	extensions := []tbs.Extension{authorityKeyID, crlNumber}
	if scope, scoped := m.scope(a); scoped {
		extension, err := tbs.IssuingDistributionPoint(scope.urls, scope.onlyCA)
		if err != nil {
			return nil, err
		}
		extensions = append(extensions, extension)
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
	object := LintCRL(m.estate, m.state, a, action)
	object.DER, object.Draft, object.Issuer, object.Previous = der, own.real(), own.certificate.Raw, previous
	action.Findings = m.judge(a.CRL.Origin, "CRL", m.linter.CRL(object, begins))
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
