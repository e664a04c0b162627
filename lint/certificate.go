package lint

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"time"
)

// certificate is what a rule sees of a certificate.
type certificate struct {
	*x509.Certificate
	// given is what the caller handed in.
	given Certificate
	// issuer is another certificate; nil when unknown or self-issued.
	issuer *x509.Certificate
	// others, twin, answersFor and request are the surroundings that were
	// handed in; nil where they were not.
	others           []neighbour
	above            []*x509.Certificate
	twin, answersFor *x509.Certificate
	request          *x509.CertificateRequest
}

// selfIssued says whether subject and issuer are the same name (RFC 5280
// §3.2).
func (c *certificate) selfIssued() bool {
	return bytes.Equal(c.RawSubject, c.RawIssuer)
}

// root says whether the certificate stands on its own key: self-issued, and
// no issuer with another key is named. A key rollover certificate is
// self-issued and has an issuer.
func (c *certificate) root() bool {
	return c.selfIssued() && (c.issuer == nil || bytes.Equal(c.issuer.RawSubjectPublicKeyInfo, c.RawSubjectPublicKeyInfo))
}

// subordinate says whether the certificate is that of an authority below
// another one.
func (c *certificate) subordinate() bool {
	return c.IsCA && !c.root()
}

// signer is the certificate whose key is said to have signed this one: the
// issuer's, or its own where it is a root. It is nil when unknown.
func (c *certificate) signer() *x509.Certificate {
	if c.issuer == nil && c.selfIssued() {
		return c.Certificate
	}
	return c.issuer
}

// Certificate judges a certificate. The clock is handed in, normally the date
// of the ceremony; when it is zero, rules about time do not apply. The findings
// are sorted, and none is marked as waived: that is [Policy.Judge].
func (l *Linter) Certificate(c Certificate, now time.Time) []Finding {
	parsed, goErr := c.read()
	issuer, findings := c.readIssuer()
	signer := issuer
	var own *certificate
	if goErr != nil {
		parsed = secondReading(c.DER)
	}
	if parsed != nil {
		own = &certificate{Certificate: parsed, given: c, issuer: issuer}
		signer = own.signer()
		findings = append(findings, own.readSurroundings()...)
	}
	z, zErr := zCertificate(c, signer)
	findings = append(findings, readingFindings(goErr, zErr, parsed != nil)...)
	if zErr == nil {
		findings = append(findings, l.z.certificate(z, c, now)...)
	}
	if own != nil {
		findings = append(findings, l.run(ObjectCertificate, &object{now: now, cert: own})...)
	}
	findings = l.z.once(findings)
	sortFindings(findings)
	return findings
}

// read is the certificate as Go reads it.
func (c Certificate) read() (*x509.Certificate, error) {
	if c.known != nil && c.known.self != nil {
		return c.known.self, nil
	}
	return x509.ParseCertificate(c.DER)
}

// readIssuer is the issuer's certificate, if there is one.
func (c Certificate) readIssuer() (*x509.Certificate, []Finding) {
	if c.Issuer == nil && c.known != nil {
		return c.known.issuer, nil
	}
	return readIssuer(c.Issuer)
}

// readSurroundings parses what was handed in beside the certificate.
func (c *certificate) readSurroundings() []Finding {
	var findings, more []Finding
	c.others, findings = readOthers(c.given.Others)
	if known := c.given.known; known != nil {
		c.others, c.above, c.twin = append(c.others, known.others...), known.above, known.twin
	}
	if c.given.Twin != nil {
		c.twin, more = readKnown(c.given.Twin, "the twin of the cross-certificate")
		findings = append(findings, more...)
	}
	c.answersFor, more = readKnown(c.given.AnswersFor, "the certificate of the authority that the responder answers for")
	findings = append(findings, more...)
	for _, der := range c.given.Above {
		upper, more := readKnown(der, "a certificate above the issuer")
		findings = append(findings, more...)
		if upper != nil {
			c.above = append(c.above, upper)
		}
	}
	if c.given.Request == nil {
		return findings
	}
	request, err := x509.ParseCertificateRequest(c.given.Request)
	if err != nil {
		return append(findings, unparsable().finding(fmt.Sprintf("the request of the certificate cannot be read, so nothing was compared with it: %v", err)))
	}
	c.request = request
	return findings
}
