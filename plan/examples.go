package plan

import (
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"pki.internal/plan/tbs"
	"pki.internal/plan/tbs/public"
	"pki.internal/spec"
)

// examples asks a verifier, crypto/x509, about every example of an authority's
// name constraints: whether it would accept a leaf of that name below the very
// extensions that the plan holds. The chain is rebuilt on throw-away keys, so
// that it can be verified whatever keys exist.
func (m *maker) examples(a *spec.Authority) {
	n := a.NameConstraints
	if n == nil || len(n.Accepts)+len(n.Refuses) == 0 {
		return
	}
	chain, err := m.standInChain(a)
	if err != nil {
		m.diags.Report(n.Origin, "accepts", "Examples that cannot be checked", "%s. Remove the examples, or correct the chain.", err)
		return
	}
	for _, name := range n.Accepts {
		if err := chain.accepts(name); err != nil {
			m.diags.Report(n.Origin, "accepts", "Name that would be refused",
				"A verifier refuses a certificate for %q below %s: %s. Mend the constraints, here or above, or the example.", name, a.Address, plainVerdict(err))
		}
	}
	for _, name := range n.Refuses {
		switch err := chain.accepts(name); {
		case err == nil:
			m.diags.Report(n.Origin, "refuses", "Name that would be accepted",
				"A verifier accepts a certificate for %q below %s. Mend the constraints, or the example. Constraints limit only the kinds of name that they list.", name, a.Address)
		case !errors.As(err, new(x509.CertificateInvalidError)) && !errors.Is(err, errOutside):
			m.diags.Report(n.Origin, "refuses", "Examples that cannot be checked", "%q is refused for another reason: %s. Correct the example.", name, err)
		}
	}
}

func plainVerdict(err error) string { return strings.TrimPrefix(err.Error(), "x509: ") }

// standIn is a chain like the planned one, on keys that everyone has.
type standIn struct {
	roots, between *x509.CertPool
	above          []*spec.Authority // the authority and what is above it
	issuer         []byte            // name of the lowest
	key            crypto.Signer     // of the lowest
	at             time.Time
}

func (m *maker) standInChain(a *spec.Authority) (*standIn, error) {
	s := &standIn{roots: x509.NewCertPool(), between: x509.NewCertPool(), above: a.Chain(), at: m.in.At}
	for i := len(s.above) - 1; i >= 0; i-- {
		one := s.above[i]
		planned := m.materials[one.Address]
		if planned == nil || planned.certificate == nil {
			return nil, fmt.Errorf("the certificate of %s is not known", one.Address)
		}
		key, err := tbs.PreviewKey(spec.ECDSAP256, i)
		if err != nil {
			return nil, err
		}
		template := tbs.Certificate{Issuer: s.issuer, Subject: planned.certificate.RawSubject}
		if i == len(s.above)-1 {
			template.Issuer, s.key = template.Subject, key
		}
		for _, e := range planned.certificate.Extensions {
			if slices.ContainsFunc(one.Extensions, func(own spec.Extension) bool { return own.Identifier == e.Id.String() }) {
				continue // says nothing about names, and Go would refuse a critical one
			}
			switch e.Id.String() {
			case "2.5.29.14", "2.5.29.35": // they name the real keys
				continue
			case "2.5.29.30":
				if e.Value, err = withoutDirectory(one.NameConstraints, e.Value); err != nil || e.Value == nil {
					continue
				}
			}
			template.Extensions = append(template.Extensions, tbs.Extension{OID: e.Id.String(), Critical: e.Critical, Value: e.Value})
		}
		if err != nil {
			return nil, err
		}
		made, err := s.sign(template, key)
		if err != nil {
			return nil, err
		}
		if s.key, s.issuer = key, template.Subject; i == len(s.above)-1 {
			s.roots.AddCert(made)
		} else {
			s.between.AddCert(made)
		}
	}
	return s, nil
}

// withoutDirectory leaves directory names out of constraints: crypto/x509
// cannot check them, and refuses whatever is below. They are held against
// names by insideSubtree instead.
func withoutDirectory(n *spec.NameConstraints, value []byte) ([]byte, error) {
	if n == nil || len(n.PermittedDirectory)+len(n.ExcludedDirectory) == 0 {
		return value, nil
	}
	rest := *n
	rest.PermittedDirectory, rest.ExcludedDirectory = nil, nil
	if len(rest.PermittedDNS)+len(rest.ExcludedDNS)+len(rest.PermittedIP)+len(rest.ExcludedIP)+
		len(rest.PermittedEmail)+len(rest.ExcludedEmail)+len(rest.PermittedURI)+len(rest.ExcludedURI) == 0 {
		return nil, nil
	}
	e, err := tbs.NameConstraints(&rest)
	return e.Value, err
}

// sign makes a certificate under the chain's lowest key.
func (s *standIn) sign(c tbs.Certificate, subject crypto.Signer) (*x509.Certificate, error) {
	spki, err := public.Marshal(subject.Public())
	if err != nil {
		return nil, err
	}
	c.Serial, c.Signature = "01", spec.ECDSAP256
	c.NotBefore, c.NotAfter = s.at.Add(-time.Hour), s.at.Add(time.Hour)
	built, err := c.Build(tbs.Keys{Subject: spki})
	if err != nil {
		return nil, err
	}
	signature, err := tbs.Sign(s.key, spec.ECDSAP256, built)
	if err != nil {
		return nil, err
	}
	der, err := tbs.Assemble(built, spec.ECDSAP256, signature)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// accepts verifies a leaf of a name. The error says why it is refused.
func (s *standIn) accepts(name string) error {
	san, err := tbs.SubjectAltName(name)
	if err != nil {
		return err
	}
	if strings.Contains(name, "=") && !strings.Contains(name, "://") {
		if err := s.insideSubtrees(name); err != nil {
			return err
		}
	}
	empty, err := asn1.Marshal([]asn1.RawValue{})
	if err != nil {
		return err
	}
	leaf, err := s.sign(tbs.Certificate{Issuer: s.issuer, Subject: empty, Extensions: []tbs.Extension{san}}, s.key)
	if err != nil {
		return err
	}
	leaf.UnhandledCriticalExtensions = nil // a directory name, which has been checked
	_, err = leaf.Verify(x509.VerifyOptions{
		Roots: s.roots, Intermediates: s.between, CurrentTime: s.at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	return err
}

var errOutside = errors.New("the name is outside of the permitted subtrees, or inside an excluded one")

// insideSubtrees holds a directory name against the constraints of the chain
// (RFC 5280 §4.2.1.10 and §7.1): a subtree holds every name that begins with
// its RDNs, whatever the case of letters.
func (s *standIn) insideSubtrees(text string) error {
	name, err := spec.ParseDirectoryName(text)
	if err != nil {
		return err
	}
	for _, a := range s.above {
		n := a.NameConstraints
		if n == nil {
			continue
		}
		permitted := len(n.PermittedDirectory) == 0
		for _, subtree := range n.PermittedDirectory {
			permitted = permitted || insideSubtree(name, subtree)
		}
		for _, subtree := range n.ExcludedDirectory {
			permitted = permitted && !insideSubtree(name, subtree)
		}
		if !permitted {
			return errOutside
		}
	}
	return nil
}

func insideSubtree(name spec.Name, subtree string) bool {
	base, err := spec.ParseDirectoryName(subtree)
	if err != nil || len(base) > len(name) {
		return false
	}
	for i, want := range base {
		if have := name[i]; have.OID() != want.OID() || !strings.EqualFold(have.Value, want.Value) || have.Joins != want.Joins {
			return false
		}
	}
	return len(base) == len(name) || !name[len(base)].Joins
}
