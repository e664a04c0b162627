package plan

import (
	"bytes"
	"crypto/x509"

	"pki.internal/lint"
	"pki.internal/plan/tbs/public"
	"pki.internal/spec"
)

// LintCRL is what estate and ledger know around a planned CRL. The bytes, the
// issuer's certificate and the list before are added by whoever has them.
func LintCRL(e *spec.Estate, s State, a *spec.Authority, action *CRLAction) lint.CRL {
	object := lint.CRL{Role: Role(e, a), NextSigning: nextSigning(a.CRL, &action.Template)}
	for _, c := range s.signedBy(a.Address, action.Issuer.Generation) {
		object.Covers = append(object.Covers, c.DER)
	}
	if e.IssuesLeaves(a) {
		return object // nobody here knows the leaves
	}
	whole, _ := s.Authority(a.Address)
	if g, known := whole.At(action.Issuer.Generation); !known || g.Imported {
		return object // other software may have issued more than its list tells
	}
	object.Issued = []lint.Issued{}
	for _, der := range append(object.Covers, revokedFiles(e, s, a, action.Issuer.Generation)...) {
		if c, err := x509.ParseCertificate(der); err == nil {
			object.Issued = append(object.Issued, lint.Issued{Serial: c.SerialNumber, NotAfter: c.NotAfter})
		}
	}
	return object
}

// revokedFiles gives the certificates that the estate revokes by their file
// and that the authority's key signed: of an earlier generation, or from
// before there was a ledger.
func revokedFiles(e *spec.Estate, s State, a *spec.Authority, generation int) [][]byte {
	have, _ := s.Authority(a.Address)
	g, _ := have.At(generation)
	own := g.certificate()
	if own == nil {
		return nil // there is none yet, so it has signed nothing
	}
	var found [][]byte
	for _, r := range e.Revocations {
		c, err := x509.ParseCertificate(r.DER)
		if err == nil && bytes.Equal(c.RawIssuer, own.RawSubject) && public.CheckCertificate(c, own) == nil {
			found = append(found, r.DER)
		}
	}
	return found
}
