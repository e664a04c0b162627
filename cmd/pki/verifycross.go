package main

import (
	"bytes"
	"crypto/x509"
	"time"

	"pki.internal/plan"
	"pki.internal/plan/tbs/public"
)

// verifyCross holds a cross-certificate against the certificate beside which
// it stands and the one of its issuer.
func verifyCross(v *verification, s plan.State, x plan.Cross, now time.Time) {
	what := x.Address.String()
	newest := x.Certificates[len(x.Certificates)-1]
	subject, _ := s.Authority(x.Subject)
	own, _ := subject.At(x.SubjectGeneration)
	issuer, _ := s.Authority(newest.Issuer)
	above, _ := issuer.At(newest.IssuerGeneration)
	certificate, err := x509.ParseCertificate(newest.DER)
	twin, twinErr := x509.ParseCertificate(own.Certificate())
	parent, parentErr := x509.ParseCertificate(above.Certificate())
	switch {
	case err != nil || twinErr != nil || parentErr != nil:
		v.fail(what, "it cannot be read beside its subject's and its issuer's certificates")
	case !bytes.Equal(certificate.RawSubject, twin.RawSubject) || !bytes.Equal(certificate.RawSubjectPublicKeyInfo, twin.RawSubjectPublicKeyInfo):
		v.fail(what, "it does not have the subject and the key of %s", plan.Label(x.Subject, x.SubjectGeneration))
	case public.CheckCertificate(certificate, parent) != nil:
		v.fail(what, "%s did not sign it", plan.Label(newest.Issuer, newest.IssuerGeneration))
	case now.After(certificate.NotAfter):
		v.pass(what, "%s by %s; it ended on %s", plan.Label(x.Subject, x.SubjectGeneration), plan.Label(newest.Issuer, newest.IssuerGeneration), instant(certificate.NotAfter))
	default:
		v.pass(what, "%s by %s, until %s", plan.Label(x.Subject, x.SubjectGeneration), plan.Label(newest.Issuer, newest.IssuerGeneration), instant(certificate.NotAfter))
	}
}

// verifyResponder holds the newest certificate of an OCSP responder against its
// issuer's.
func verifyResponder(v *verification, s plan.State, r plan.Responder, now time.Time) {
	what := r.Address.String()
	newest := r.Certificates[len(r.Certificates)-1]
	by := plan.Label(newest.Issuer, newest.IssuerGeneration)
	issuer, _ := s.Authority(newest.Issuer)
	above, _ := issuer.At(newest.IssuerGeneration)
	certificate, err := x509.ParseCertificate(newest.DER)
	parent, parentErr := x509.ParseCertificate(above.Certificate())
	switch {
	case err != nil || parentErr != nil:
		v.fail(what, "it cannot be read beside its issuer's certificate")
	case public.CheckIssued(certificate, parent) != nil:
		v.fail(what, "%s did not sign it", by)
	case now.After(certificate.NotAfter):
		v.pass(what, "OCSP responder of %s; it ended on %s", by, instant(certificate.NotAfter))
	default:
		v.pass(what, "OCSP responder of %s, until %s", by, instant(certificate.NotAfter))
	}
}
