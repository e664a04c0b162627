package plan

import (
	"crypto/x509"
	"math/big"
	"slices"
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
	have, _ := m.state.Authority(a.Address)
	last, ok := m.lastCRL(a, have)
	if !ok {
		return
	}
	entries := m.entries(a)
	number, due := m.due(a, last, entries)
	if !due {
		return
	}
	template, err := m.crlTemplate(a, own, number, entries)
	if err != nil {
		m.diags.Report(a.CRL.Origin, "", "CRL that cannot be built", "%s.", err)
		return
	}
	if above := own.certificate.NotAfter; template.NextUpdate.After(above) {
		m.diags.Report(a.CRL.Origin, "valid_for", "CRL outlives its issuer",
			"The CRL would count until %s, and %s ends on %s (RFC 5280 §5.1.2.5). Shorten valid_for.", stamp(template.NextUpdate), a.Address, stamp(above))
		return
	}
	action := &CRLAction{Number: number, Issuer: own.ref, Template: *template}
	action.Outputs = crlOutputs(a.Address)
	if !m.draftCRL(a, action, own, have.CRL) {
		return
	}
	m.add(Action{Kind: SignCRL, Address: a.Address, SignCRL: action})
	m.useSecret(a.Key.Store.Password)
}

// lastCRL gives the newest list of the ledger, nil before the first.
func (m *maker) lastCRL(a *spec.Authority, have Authority) (*x509.RevocationList, bool) {
	if have.CRL == nil {
		return nil, true
	}
	last, err := x509.ParseRevocationList(have.CRL)
	if err != nil {
		m.diags.Report(a.CRL.Origin, "", "CRL in the ledger cannot be read", "%s. Run pki verify.", err)
	}
	return last, err == nil
}

// due gives the number of the next CRL and whether it is time for it: the
// first belongs to the ceremony that makes the authority, a later one comes
// when a revocation does, issue_every after the last, or from the middle of
// its life when issue_every is not written. A CRL that an online CA signs is
// its own affair after the first.
func (m *maker) due(a *spec.Authority, last *x509.RevocationList, entries []tbs.Entry) (string, bool) {
	if last == nil {
		return "1", true
	}
	if slices.ContainsFunc(m.estate.OnlineCAs, func(o *spec.OnlineCA) bool {
		return o.Authority == a && o.CRL != nil && o.CRL.Enabled
	}) {
		m.revokedElsewhere(a)
		return "", false
	}
	from := last.ThisUpdate.Add(last.NextUpdate.Sub(last.ThisUpdate) / 2)
	if !a.CRL.IssueEvery.IsZero() {
		from = a.CRL.IssueEvery.From(last.ThisUpdate)
	}
	next := new(big.Int).Add(last.Number, big.NewInt(1))
	return next.String(), !sameEntries(last, entries) || !m.in.At.Before(from)
}

// DueNext gives when the next CRL is planned, for a CRL that starts at.
func DueNext(c *spec.CRL, at time.Time) time.Time {
	if c.IssueEvery.IsZero() {
		return time.Time{}
	}
	return c.IssueEvery.From(at)
}

func (m *maker) crlTemplate(a *spec.Authority, own *material, number string, entries []tbs.Entry) (*tbs.CRL, error) {
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
		ThisUpdate: m.in.At, NextUpdate: a.CRL.ValidFor.Last(m.in.At),
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

func (m *maker) draftCRL(a *spec.Authority, action *CRLAction, own *material, previous []byte) bool {
	built, err := action.Template.Build(tbs.Keys{IssuerID: own.certificate.SubjectKeyId})
	if err != nil {
		m.diags.Report(a.CRL.Origin, "", "CRL that cannot be built", "%s.", err)
		return false
	}
	der, err := m.complete(&action.Draft, built, own, own.real())
	if err != nil {
		m.diags.Report(a.CRL.Origin, "", "CRL that cannot be built", "%s.", err)
		return false
	}
	o := a.CRL.Origin
	action.Findings = m.judge(o, "CRL", m.linter.CRL(lint.CRL{
		DER: der, Draft: own.real(), Issuer: own.certificate.Raw, Previous: previous, NextSigning: DueNext(a.CRL, m.in.At),
	}, m.in.At))
	return true
}
