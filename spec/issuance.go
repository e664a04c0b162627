package spec

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Chain lists the authorities from a to the root at its top, a first.
// Validate has made sure that it ends.
func (a *Authority) Chain() []*Authority {
	var chain []*Authority
	seen := map[*Authority]bool{}
	for at := a; at != nil && !seen[at]; at = at.Issuer {
		seen[at] = true
		chain = append(chain, at)
	}
	return chain
}

// tiers is who signs whom, worked out once: Validate keeps it, because asking
// ten thousand authorities one by one would read all of them each time.
type tiers struct {
	size     int // authorities that were counted
	children map[*Authority][]*Authority
	height   map[*Authority]int // tiers below
	depth    map[*Authority]int // tiers above
}

// workOutTiers needs issuers that lead to a root.
func (e *Estate) workOutTiers() *tiers {
	t := &tiers{size: len(e.Authorities), children: map[*Authority][]*Authority{}, height: map[*Authority]int{}, depth: map[*Authority]int{}}
	var tier []*Authority
	for _, a := range e.Authorities {
		if a.Issuer == nil {
			tier = append(tier, a)
			continue
		}
		t.children[a.Issuer] = append(t.children[a.Issuer], a)
	}
	var fromTop []*Authority
	for depth := 0; len(tier) > 0; depth++ {
		var below []*Authority
		for _, a := range tier {
			t.depth[a] = depth
			below = append(below, t.children[a]...)
		}
		fromTop = append(fromTop, tier...)
		tier = below
	}
	for _, a := range slices.Backward(fromTop) {
		if a.Issuer != nil {
			t.height[a.Issuer] = max(t.height[a.Issuer], 1+t.height[a])
		}
	}
	return t
}

// counted reports whether the tiers that are kept are those of the estate.
func (e *Estate) counted() bool { return e.tiers != nil && e.tiers.size == len(e.Authorities) }

// Children lists the authorities that a signs, in the estate's order.
func (e *Estate) Children(a *Authority) []*Authority {
	if e.counted() {
		return e.tiers.children[a]
	}
	var children []*Authority
	for _, other := range e.Authorities {
		if other.Issuer == a {
			children = append(children, other)
		}
	}
	return children
}

// PathLen gives the effective path length of a: as written, or else how many
// authorities the estate has below it (RFC 5280 §4.2.1.9). An authority with
// nothing below issues leaves and gets 0.
func (e *Estate) PathLen(a *Authority) int {
	if a.PathLength != nil {
		return *a.PathLength
	}
	return e.height(a)
}

// IssuesLeaves reports whether the authority has no authority below it.
func (e *Estate) IssuesLeaves(a *Authority) bool { return len(e.Children(a)) == 0 }

func (e *Estate) height(a *Authority) int {
	if e.counted() {
		return e.tiers.height[a]
	}
	tallest := 0
	for _, child := range e.Children(a) {
		tallest = max(tallest, 1+e.height(child))
	}
	return tallest
}

// IssuanceOrder lists the authorities so that every issuer comes before what
// it signs, and otherwise as written.
func (e *Estate) IssuanceOrder() []*Authority {
	ordered := slices.Clone(e.Authorities)
	if t := e.tiers; e.counted() {
		slices.SortStableFunc(ordered, func(a, b *Authority) int { return t.depth[a] - t.depth[b] })
		return ordered
	}
	slices.SortStableFunc(ordered, func(a, b *Authority) int { return len(a.Chain()) - len(b.Chain()) })
	return ordered
}

func (e *Estate) validateAuthorities(d *Diagnostics) {
	for _, a := range e.Authorities {
		a.validate(d)
	}
	e.validateCRLURLs(d)
	e.tiers = nil
	circles := e.validateCircles(d)
	if circles {
		return // lengths and lifetimes mean nothing on a circle
	}
	e.tiers = e.workOutTiers()
	for _, a := range e.Authorities {
		e.validatePathLength(d, a)
		if a.Issuer == nil {
			continue
		}
		if a.Validity.Longer(a.Issuer.Validity) {
			d.Report(a.Origin, "validity", "Certificate outlives its issuer",
				"%s counts for %s, and its issuer %s for %s. No client accepts it after its issuer's end (RFC 5280 §6.1.3). Shorten validity.",
				a.Address, a.Validity, a.Issuer.Address, a.Issuer.Validity)
		}
		if a.Import != nil || a.CertifiedElsewhere() {
			continue // it is signed already, or by somebody else
		}
		if a.Issuer.CRL == nil {
			d.Report(a.Origin, "issuer", "Certificate that cannot be revoked",
				"%s signs no CRL, so nobody could ever revoke %s. Add a crl block to %s.", a.Issuer.Address, a.Address, a.Issuer.Address)
		}
		if a.Issuer.CSR != nil {
			d.Report(a.Origin, "issuer", "Issuer's key lives elsewhere",
				"%s is signed from a CSR, so this estate cannot sign with its key. Issue %s from an authority with a key block.", a.Issuer.Address, a.Address)
		}
	}
}

func (a *Authority) validate(d *Diagnostics) {
	if err := a.Subject.Check(); err != nil {
		d.Report(a.Origin, "subject", "Name that cannot be encoded", "In the subject of %s, %s. Correct it here, or in the estate's subject block if it comes from there.", a.Address, err)
	}
	if len(a.Subject) == 0 || a.Subject.Value("common_name") == "" && a.Import == nil {
		d.Report(a.Origin, "subject", "Authority without a common name", "People tell CAs apart by it. Add common_name to the subject block.")
	}
	switch {
	case a.keyless() && a.Import != nil: // its key stays where it is
	case a.Key == nil && a.CSR == nil:
		d.Report(a.Origin, "key", "Authority without a key",
			"Nothing says where the key of %s is. Add a key block to make it in the ceremony, or csr = \"csr/%s.csr\" when it lives elsewhere.", a.Address, a.Address.FileName())
	case a.Key != nil && a.CSR != nil:
		d.Report(a.Origin, "csr", "Two keys for one authority", "The key is made here (key block) or lives elsewhere (csr), not both. Remove one of them.")
	case a.CSR != nil && a.IsRoot():
		d.Report(a.Origin, "csr", "Root from a request", "A root signs itself, so its key must be here. Add a key block, or say which authority is the issuer.")
	case a.CSR != nil && a.CRL != nil && (a.CRL.ValidFor != Duration{} || a.CRL.IssueEvery != Duration{}):
		d.Report(a.CRL.Origin, "valid_for", "CRL of a key that lives elsewhere",
			"The key of %s is not here, so this estate cannot sign its CRL. Keep only urls, which its certificates and its online CA use.", a.Address)
	}
	if a.Key != nil && !slices.Contains(Algorithms(), a.Key.Algorithm) {
		d.Report(a.Key.Origin, "algorithm", "Unknown algorithm", "%q is not an algorithm. Use %s.", a.Key.Algorithm, joinAlgorithms())
	}
	for _, usage := range a.ExtendedKeyUsage {
		if usage.OID() == "" {
			d.Report(a.Origin, "extended_key_usage", "Unknown extended key usage", "%q is not a usage for a CA. Use %s, or an object identifier.", usage, joinUsages())
		}
	}
	for _, u := range a.CAIssuersURLs {
		checkURL(d, a.Origin, "ca_issuers_urls", "CA certificates", u)
	}
	a.validateProfile(d)
	a.NameConstraints.validate(d)
	a.CRL.validate(d, a.Key != nil)
	a.validateLifecycle(d)
	a.validateImport(d)
}

func joinAlgorithms() string {
	words := make([]string, 0, len(Algorithms()))
	for _, a := range Algorithms() {
		words = append(words, string(a))
	}
	return strings.Join(words, ", ")
}

func joinUsages() string {
	words := make([]string, 0, len(ExtKeyUsages()))
	for _, u := range ExtKeyUsages() {
		words = append(words, string(u))
	}
	return strings.Join(words, ", ")
}

func (c *CRL) validate(d *Diagnostics, signedHere bool) {
	if c == nil {
		return
	}
	if len(c.URLs) == 0 {
		d.Report(c.Origin, "urls", "CRL without a URL", "Clients find a CRL by the URL in the certificates. Add urls = [\"http://pki.example.com/name.crl\"].")
	}
	for _, u := range c.URLs {
		checkURL(d, c.Origin, "urls", "CRLs", u)
	}
	if !signedHere {
		return
	}
	if c.ValidFor.IsZero() {
		d.Report(c.Origin, "valid_for", "CRL without a lifetime", "A CRL names the day of the next one (RFC 5280 §5.1.2.5). Say how long each counts, as in valid_for = \"400d\".")
		return
	}
	// Compared on a leap-free stretch; the plan compares real dates again.
	if !c.IssueEvery.IsZero() && c.IssueEvery.From(yardstick).After(c.ValidFor.Last(yardstick)) {
		d.Report(c.Origin, "issue_every", "CRL issued after the last one expired",
			"A new CRL every %s leaves a gap when each counts %s. Make issue_every shorter than valid_for.", c.IssueEvery, c.ValidFor)
	}
}

// placeOf is a URL as servers see it: hosts are the same in capitals, and port 80 is
// the one of http (RFC 3986 §6.2.2.1, §6.2.3).
func placeOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.User != nil || u.Fragment != "" {
		return raw // reported where it is read
	}
	return strings.ToLower(u.Hostname()) + ":" + cmp.Or(u.Port(), "80") + " " + u.RequestURI()
}

// validateCRLURLs refuses two authorities that publish at one place. A list is
// about the certificates of the one who signed it (RFC 5280 §5), so each would
// take the other's away.
func (e *Estate) validateCRLURLs(d *Diagnostics) {
	owner := map[string]*Authority{}
	for _, a := range e.Authorities {
		if a.CRL == nil {
			continue
		}
		for _, u := range a.CRL.URLs {
			first := owner[placeOf(u)]
			if first == nil {
				owner[placeOf(u)] = a
				continue
			}
			var wrong Diagnostics
			if checkURL(&wrong, a.CRL.Origin, "urls", "CRLs", u); wrong.HasErrors() {
				continue // which is reported, and is no place of anybody's
			}
			switch first {
			case a:
				d.Report(a.CRL.Origin, "urls", "CRL URL twice", "%s stands twice in one list. Remove one of them.", u)
			default:
				d.Report(a.CRL.Origin, "urls", "Two lists at one URL",
					"%s is where %s publishes its CRL, too, and only one of the lists can be there. Give each authority a URL of its own; with for_each, put each.key into it.", u, first.Address)
			}
		}
	}
}

// validateCircles reports issuers that lead back to themselves, once each.
func (e *Estate) validateCircles(d *Diagnostics) bool {
	found := false
	walked := map[*Authority]*Authority{} // where the walk that met it began
	for _, a := range e.Authorities {
		at := a
		for at != nil && walked[at] == nil {
			walked[at] = a
			at = at.Issuer
		}
		if at == nil || walked[at] != a {
			continue // it leads to a root, or to what has been reported
		}
		found = true
		first := at
		var words []string
		for begun := false; !begun || at != first; begun = true {
			words = append(words, at.Address.String())
			at = at.Issuer
		}
		words = append(words, first.Address.String())
		d.Report(first.Origin, "issuer", "No root at the top",
			"Following the issuers leads back to the start: %s. Give one of them a key block and no issuer.", strings.Join(shortened(words), " is issued by "))
	}
	return found
}

// shortened keeps both ends of a list that nobody would read whole.
func shortened(words []string) []string {
	const ends = 5
	if len(words) <= 2*ends+1 {
		return words
	}
	return slices.Concat(words[:ends], []string{fmt.Sprintf("(%d more)", len(words)-2*ends)}, words[len(words)-ends:])
}

func (e *Estate) validatePathLength(d *Diagnostics, a *Authority) {
	if a.PathLength != nil && *a.PathLength < 0 {
		d.Report(a.Origin, "path_length", "Negative path length", "A path length counts the authorities that may stand below. Write 0 for an authority that issues leaves.")
		return
	}
	below := e.height(a)
	if have := e.PathLen(a); have < below {
		d.Report(a.Origin, "path_length", "Path length exceeded",
			"Authorities stand %d deep below %s, which allows %d (RFC 5280 §4.2.1.9). Every certificate below would be refused. Write path_length = %d or remove a tier.",
			below, a.Address, have, below)
	}
	if a.Issuer == nil || a.Issuer.Import != nil && a.Issuer.PathLength == nil {
		return // what an imported certificate allows stands in it, and lint reads it
	}
	// An issuer that allows too few for the tiers below it is reported itself.
	if have, above := e.PathLen(a), e.PathLen(a.Issuer); have >= above && above >= e.height(a.Issuer) {
		d.Report(a.Origin, "path_length", "Path length exceeds the issuer's",
			"%s allows %d below it, but its issuer %s allows only %d below itself (RFC 5280 §6.1.4). Write path_length = %d here or raise the issuer's.",
			a.Address, have, a.Issuer.Address, above, max(0, above-1))
	}
}
