package lint

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"strings"
)

// neighbour is a parsed [KnownCertificate].
type neighbour struct {
	owner string
	*x509.Certificate
}

// readOthers parses the other certificates. One that cannot be read is said,
// because rules about the whole estate cannot see it.
func readOthers(others []KnownCertificate) ([]neighbour, []Finding) {
	var all []neighbour
	var findings []Finding
	for _, other := range others {
		cert, err := x509.ParseCertificate(other.DER)
		if err != nil {
			findings = append(findings, unparsable().finding(fmt.Sprintf("the certificate of %s cannot be read, so nothing was compared with it: %v", other.Owner, err)))
			continue
		}
		all = append(all, neighbour{other.Owner, cert})
	}
	return all, findings
}

// readKnown parses a certificate that belongs to the surroundings; nil stays
// nil.
func readKnown(der []byte, what string) (*x509.Certificate, []Finding) {
	if der == nil {
		return nil, nil
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, []Finding{unparsable().finding(fmt.Sprintf("%s cannot be read, so nothing was compared with it: %v", what, err))}
	}
	return cert, nil
}

// sameKey says whether two certificates hold one key.
func sameKey(a, b *x509.Certificate) bool {
	return bytes.Equal(a.RawSubjectPublicKeyInfo, b.RawSubjectPublicKeyInfo)
}

// sameSubject says whether two certificates name one subject.
func sameSubject(a, b *x509.Certificate) bool { return bytes.Equal(a.RawSubject, b.RawSubject) }

// selfSigned says whether a certificate names itself and holds the key that
// its own key identifier speaks of.
func selfSigned(c *x509.Certificate) bool {
	return bytes.Equal(c.RawSubject, c.RawIssuer) && (len(c.AuthorityKeyId) == 0 || bytes.Equal(c.AuthorityKeyId, c.SubjectKeyId))
}

// fewOf names a few owners, and counts the others.
func fewOf(owners []string) string {
	text := strings.Join(owners[:min(len(owners), maxListed)], ", ")
	if more := len(owners) - maxListed; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
