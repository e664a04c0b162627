package plan

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"

	"pki.internal/spec"
)

// existing compares an authority that has its certificate with what the
// estate wants, and plans what closes the gap: nothing, a certificate for the
// key that is there, or a new key. Whatever replaces a key must be written as
// the next generation; nothing else brings it about.
func (m *maker) existing(a *spec.Authority, have Authority) {
	for _, g := range have.Generations {
		m.olderMaterials[a.Address] = append(m.olderMaterials[a.Address], materialOf(a.Address, g))
	}
	current, _ := have.At(have.Generation)
	m.materials[a.Address] = materialOf(a.Address, current)
	if a.Import != nil && !have.holds(a.Import.Certificate) {
		m.adopt(a, have)
		return
	}
	switch next := have.last() + 1; {
	case a.KeyGeneration() < have.Generation:
		m.generationOver(a, have.Generation)
	case a.KeyGeneration() > next:
		m.generationLeftOut(a, have.last())
	case a.KeyGeneration() == next:
		m.replace(a, have)
	case a.KeyGeneration() == have.last() && have.last() > have.Generation:
		m.goOn(a, have)
	default:
		m.keep(a, have, current)
	}
}

func (m *maker) generationOver(a *spec.Authority, last int) {
	m.diags.Report(a.Origin, "generation", "Generation that is over",
		"%s has generation %d in the ledger, and a key never comes back. Write generation = %d.", a.Address, last, last)
}

func (m *maker) generationLeftOut(a *spec.Authority, last int) {
	m.diags.Report(a.Origin, "generation", "Generation left out",
		"%s has generation %d in the ledger, so the next one is %d. Write generation = %d.", a.Address, last, last+1, last+1)
}

func materialOf(address spec.Address, g Generation) *material {
	return &material{ref: refOf(address, g), spki: g.spki, certificate: g.certificate(), imported: g.Imported}
}

// issuerChanged reports whether the issuer has gone on to another key since it
// signed the authority's certificate.
func (m *maker) issuerChanged(a *spec.Authority, have Authority) bool {
	if a.Issuer == nil || have.Issuer != a.Issuer.Address {
		return false // a root, or another issuer altogether, which is a difference in words
	}
	issuer := m.materials[a.Issuer.Address]
	return issuer != nil && issuer.ref.Generation != have.IssuerGeneration
}

// due reports whether a certificate is to be renewed by the estate's own rule.
func (m *maker) due(a *spec.Authority, c *x509.Certificate) bool {
	return !a.RenewBefore.IsZero() && !m.in.At.Before(a.RenewBefore.Before(c.NotAfter))
}

// keep leaves the key as it is, and plans a new certificate for it when the
// estate wants one that says something else, or when it is time.
func (m *maker) keep(a *spec.Authority, have Authority, g Generation) {
	c := g.certificate()
	found := sameKeyElsewhere(differences(have.Want, wanted(m.estate, a)), a, g)
	if a.Issuer != nil && !m.materials[a.Issuer.Address].described(a.Issuer) { // what the estate says of it is for its next key
		found = slices.DeleteFunc(found, Difference.inherited)
	}
	m.backUpKept(a, g)
	if m.issuerChanged(a, have) {
		found = append(found, Difference{
			Name: "issuer's generation", Before: fmt.Sprint(have.IssuerGeneration), After: fmt.Sprint(m.materials[a.Issuer.Address].ref.Generation),
		})
	}
	due := m.due(a, c)
	if len(found) == 0 && !due {
		return
	}
	if m.needsKey(a, found, c, due) {
		return
	}
	why := ""
	if due {
		why = fmt.Sprintf("its certificate ends on %s, and is renewed %s before that", c.NotAfter.UTC().Format(time.DateOnly), a.RenewBefore)
	}
	if !a.KeyReuse {
		origin, word := firstWritten(a, found)
		m.diags.Report(origin, word, "Second certificate for one key",
			"%s That needs a new certificate, and nothing says that it may be for the same key. Write key_reuse = true to keep the key, write generation = %d for a new one, or restore the old value.",
			m.tell(a, found, c), have.last()+1)
		return
	}
	class := NewCertificate
	if a.IsRoot() {
		class = NewRoot
	}
	if class == NewRoot && a.PreventReplace {
		m.prevented(a, "its certificate, which relying parties hold,")
		return
	}
	if m.keyless(a) {
		return
	}
	m.changed(Change{Address: a.Address, Class: class, Why: why, Attributes: found, Blast: m.blast(a, false)})
	if a.CSR != nil {
		m.fromCSR(a)
		return
	}
	m.useSecret(a.Key.Store.Password)
	m.certificate(a, nil)
}

// needsKey refuses differences that only a new key can carry: a name or a key
// that changes, or anything about a root, whose certificate is what relying
// parties hold. A root that is due may change how long it counts.
func (m *maker) needsKey(a *spec.Authority, found []Difference, c *x509.Certificate, due bool) bool {
	var heavy []Difference
	for _, d := range found {
		keyed := slices.Contains([]string{"subject", "key", "csr"}, d.Name)
		if keyed || a.IsRoot() && !(due && d.Name == "validity") {
			heavy = append(heavy, d)
		}
	}
	if len(heavy) == 0 {
		return false
	}
	after := "That needs a new key."
	if a.IsRoot() {
		after = "That replaces the root: " + m.blast(a, true).String() + "."
	}
	origin, word := firstWritten(a, heavy)
	m.diags.Report(origin, word, "Authority differs from its certificate",
		"%s %s Write generation = %d if that is meant, or restore the old value.", m.tell(a, heavy, c), after, a.KeyGeneration()+1)
	return true
}

// tell says in sentences what differs.
func (m *maker) tell(a *spec.Authority, found []Difference, c *x509.Certificate) string {
	var sentences []string
	for _, d := range found {
		sentences = append(sentences, fmt.Sprintf("%s of %s was %q when its certificate was signed on %s, and is %q now.",
			d.Name, whose(a, d), d.Before, c.NotBefore.UTC().Format(time.DateOnly), d.After))
	}
	if len(found) == 0 {
		sentences = append(sentences, fmt.Sprintf("The certificate of %s ends on %s.", a.Address, c.NotAfter.UTC().Format(time.DateOnly)))
	}
	return strings.Join(sentences, " ")
}

// inherited reports what a certificate has from the block of its issuer: where
// that publishes lists, itself and answers.
func (d Difference) inherited() bool {
	return slices.Contains([]string{"crl", "ca_issuers_urls", "ocsp"}, d.Name)
}

func whose(a *spec.Authority, d Difference) string {
	if d.inherited() && a.Issuer != nil {
		return fmt.Sprintf("%s, which %s has from its issuer,", a.Issuer.Address, a.Address)
	}
	return a.Address.String()
}

// firstWritten names the argument to point at, and the block that it is in.
func firstWritten(a *spec.Authority, found []Difference) (spec.Origin, string) {
	for _, d := range found {
		origin := a.Origin
		if d.inherited() && a.Issuer != nil {
			origin = a.Issuer.Origin
			if d.Name == "crl" && a.Issuer.CRL != nil {
				origin, d.Name = a.Issuer.CRL.Origin, "urls"
			}
		}
		if _, written := origin.Attributes[d.Name]; written {
			return origin, d.Name
		}
	}
	return a.Origin, ""
}

// String says what feels a change, in a few words.
func (b *Blast) String() string {
	if b == nil {
		return "nothing below it changes"
	}
	var parts []string
	if n := len(b.Authorities); n > 0 {
		parts = append(parts, counted(n, "authority", "authorities"))
	}
	if n := len(b.OnlineCAs); n > 0 {
		parts = append(parts, counted(n, "online CA", "online CAs"))
	}
	switch {
	case b.Leaves && len(parts) > 0:
		return strings.Join(parts, ", ") + " and every leaf below"
	case b.Leaves:
		return "everything that it issued"
	}
	return strings.Join(parts, ", ")
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func (m *maker) prevented(a *spec.Authority, what string) {
	m.diags.Report(a.Origin, "lifecycle", "Replacement prevented",
		"This plan would replace %s of %s, and its lifecycle block says prevent_replace = true. Take that out in a change of its own if it is meant.", what, a.Address)
}

// replace plans the next key of an authority. The old one stays: it signs
// revocation lists as long as something that it signed counts.
func (m *maker) replace(a *spec.Authority, have Authority) {
	if a.PreventReplace {
		m.prevented(a, "the key")
		return
	}
	if m.sharesURLs(a, have) {
		return
	}
	class := NewKey
	if a.IsRoot() {
		class = NewRoot
	}
	found := append([]Difference{{Name: "generation", Before: fmt.Sprint(have.Generation), After: fmt.Sprint(a.KeyGeneration())}},
		differences(have.Want, wanted(m.estate, a))...)
	if m.issuerChanged(a, have) {
		found = append(found, Difference{
			Name: "issuer's generation", Before: fmt.Sprint(have.IssuerGeneration), After: fmt.Sprint(m.materials[a.Issuer.Address].ref.Generation),
		})
	}
	m.changed(Change{Address: a.Address, Class: class, Attributes: found, Blast: m.blast(a, true)})
	m.fresh(a)
}

// goOn certifies the next key of an authority, which was made already: the
// ceremony ended there, or the certificate comes from somebody else.
func (m *maker) goOn(a *spec.Authority, have Authority) {
	g, _ := have.At(have.last())
	class := NewKey
	if a.IsRoot() {
		class = NewRoot
	}
	m.changed(Change{Address: a.Address, Class: class, Why: "its key was made already", Blast: m.blast(a, true), Attributes: []Difference{
		{Name: "generation", Before: fmt.Sprint(have.Generation), After: fmt.Sprint(g.Number)},
	}})
	m.materials[a.Address] = materialOf(a.Address, g)
	m.useStore(a, m.materials[a.Address], g)
	m.certificate(a, nil)
}

// sharesURLs refuses a new key whose lists or certificate would lie at a URL
// of the old one: a client that follows the URL of an old certificate would
// find a list that its issuer did not sign, and refuse everything.
func (m *maker) sharesURLs(a *spec.Authority, have Authority) bool {
	shared := false
	for _, o := range []struct{ word, attribute, what string }{{"own crl", "crl", "revocation lists"}, {"own ca_issuers_urls", "ca_issuers_urls", "certificates"}} {
		old := strings.Fields(m.publishedBy(a, have)[o.word])
		var now []string
		if o.attribute == "crl" && a.CRL != nil {
			now = a.CRL.URLs
		} else if o.attribute == "ca_issuers_urls" {
			now = a.CAIssuersURLs
		}
		for _, u := range now {
			if slices.Contains(old, u) {
				shared = true
				m.diags.Report(a.Origin, o.attribute, "Two keys at one URL",
					"The %s of both generations of %s would lie at %s, and certificates of the old key lead there for the lists and the certificate of the old key (RFC 5280 §5.1.1.3). Give the new generation a URL of its own.",
					o.what, a.Address, u)
			}
		}
	}
	return shared
}

// publishedBy gives the URLs that certificates of the authority's key hold, as
// the ledger knows them from what is below it.
func (m *maker) publishedBy(a *spec.Authority, have Authority) map[string]string {
	urls := map[string]string{}
	add := func(word string, values []string) {
		urls[word] = strings.TrimSpace(urls[word] + " " + strings.Join(values, " "))
	}
	for _, g := range have.Generations {
		for _, c := range m.state.signedBy(a.Address, g.Number) {
			add("own crl", c.parsed.CRLDistributionPoints)
			add("own ca_issuers_urls", c.parsed.IssuingCertificateURL)
		}
	}
	for _, g := range have.Generations {
		if list, err := x509.ParseRevocationList(g.CRL); err == nil {
			add("own crl", distributionPoints(list))
		}
	}
	return urls
}
