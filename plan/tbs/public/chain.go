package public

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"
)

// CheckChain holds a chain together at a moment: the certificate first, each
// one followed by its issuer, a self-signed root last. crypto/x509 judges it
// where it knows every algorithm. A chain with ML-DSA is walked here (RFC 5280
// §6.1): names, dates, signatures, rights, path lengths and critical
// extensions. Name constraints are about the names of leaves, which no ledger
// holds, and are not judged in such a chain.
func CheckChain(chain []*x509.Certificate, at time.Time) error {
	if len(chain) == 0 {
		return errors.New("an empty chain")
	}
	if !slices.ContainsFunc(chain, unknownToGo) {
		return checkByGo(chain, at)
	}
	return walk(chain, at)
}

func walk(chain []*x509.Certificate, at time.Time) error {
	for i, c := range chain {
		issuer := chain[min(i+1, len(chain)-1)]
		if err := checkLink(c, issuer, at); err != nil {
			return err
		}
		if err := checkDepth(issuer, chain[:min(i+1, len(chain)-1)]); err != nil {
			return err
		}
	}
	return nil
}

func unknownToGo(c *x509.Certificate) bool {
	return c.SignatureAlgorithm == x509.UnknownSignatureAlgorithm || c.PublicKeyAlgorithm == x509.UnknownPublicKeyAlgorithm
}

func checkByGo(chain []*x509.Certificate, at time.Time) error {
	chain = withoutUnhandled(chain)
	roots, others := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(chain[len(chain)-1])
	for _, c := range chain[:len(chain)-1] {
		others.AddCert(c)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: others, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	return err
}

// withoutUnhandled lets chains through whose CAs carry critical extensions that
// Go does not know: name constraints on directory names, and what an estate
// writes in DER. They were planned and linted; the chain holds or does not.
func withoutUnhandled(chain []*x509.Certificate) []*x509.Certificate {
	copies := make([]*x509.Certificate, 0, len(chain))
	for _, c := range chain {
		one := *c
		one.UnhandledCriticalExtensions = nil
		copies = append(copies, &one)
	}
	return copies
}

func checkLink(c, issuer *x509.Certificate, at time.Time) error {
	switch {
	case !bytes.Equal(c.RawIssuer, issuer.RawSubject):
		return fmt.Errorf("the issuer of %q is not %q, byte for byte", c.Subject, issuer.Subject)
	case at.Before(c.NotBefore):
		return fmt.Errorf("%q begins only on %s", c.Subject, c.NotBefore.UTC().Format(time.RFC3339))
	case at.After(c.NotAfter):
		return fmt.Errorf("%q ended on %s", c.Subject, c.NotAfter.UTC().Format(time.RFC3339))
	case len(c.UnhandledCriticalExtensions) > 0:
		return fmt.Errorf("%q has the critical extension %s, which nobody here understands", c.Subject, c.UnhandledCriticalExtensions[0])
	}
	if err := CheckIssued(c, issuer); err != nil {
		return fmt.Errorf("the certificate of %q: %w", c.Subject, err)
	}
	return nil
}

// checkDepth counts the authorities between an issuer and the first
// certificate below it (RFC 5280 §4.2.1.9).
func checkDepth(issuer *x509.Certificate, below []*x509.Certificate) error {
	limited := issuer.MaxPathLen > 0 || issuer.MaxPathLenZero
	between := 0
	for _, c := range below[min(1, len(below)):] {
		if !bytes.Equal(c.RawSubject, c.RawIssuer) {
			between++
		}
	}
	if limited && between > issuer.MaxPathLen {
		return fmt.Errorf("%q allows %d authorities below it, and there are %d", issuer.Subject, issuer.MaxPathLen, between)
	}
	return nil
}
