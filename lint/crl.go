package lint

import (
	"crypto/x509"
	"fmt"
	"time"
)

// revocationList is what a rule sees of a revocation list.
type revocationList struct {
	*x509.RevocationList
	// given is what the caller handed in.
	given CRL
	// issuer is the certificate of the list's issuer; nil when unknown.
	issuer *x509.Certificate
	// previous is the list before this one; nil when unknown.
	previous *x509.RevocationList
	// base is the complete list beside a delta list; nil when unknown.
	base *x509.RevocationList
	// covers are certificates that find the list by their distribution point.
	covers []neighbour
}

// coveredBy names certificates by their place, for findings.
func coveredBy(ders [][]byte) []KnownCertificate {
	var all []KnownCertificate
	for i, der := range ders {
		all = append(all, KnownCertificate{Owner: fmt.Sprintf("covered certificate %d", i+1), DER: der})
	}
	return all
}

// CRL judges a revocation list. The clock is handed in, normally the date of
// the ceremony; when it is zero, rules about time do not apply. The findings
// are sorted, and none is marked as waived: that is [Policy.Judge].
func (l *Linter) CRL(c CRL, now time.Time) []Finding {
	parsed, goErr := x509.ParseRevocationList(c.DER)
	issuer, findings := readIssuer(c.Issuer)
	previous, more := readPrevious(c.Previous)
	findings = append(findings, more...)
	z, zErr := zCRL(c, issuer)
	findings = append(findings, readingFindings(goErr, zErr, goErr == nil)...)
	if extra := len(c.DER) - len(First(c.DER)); extra > 0 {
		// Go reads the list and says nothing of what follows.
		findings = append(findings, unparsable().finding(fmt.Sprintf("%d octets stand behind the list", extra)))
	}
	if zErr == nil {
		findings = append(findings, l.z.crl(z, c.Draft, now)...)
	}
	if goErr == nil {
		own := &revocationList{RevocationList: parsed, given: c, issuer: issuer, previous: previous}
		own.base, more = readPrevious(c.Base)
		findings = append(findings, more...)
		own.covers, more = readOthers(coveredBy(c.Covers))
		findings = append(findings, more...)
		findings = append(findings, l.run(ObjectCRL, &object{now: now, crl: own})...)
	}
	findings = l.z.once(findings)
	sortFindings(findings)
	return findings
}

// readPrevious parses the previous list, if there is one.
func readPrevious(der []byte) (*x509.RevocationList, []Finding) {
	if der == nil {
		return nil, nil
	}
	previous, err := x509.ParseRevocationList(der)
	if err != nil {
		return nil, []Finding{unparsable().finding(fmt.Sprintf("the previous list cannot be read, so nothing was compared with it: %v", err))}
	}
	return previous, nil
}
