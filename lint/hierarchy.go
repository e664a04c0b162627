package lint

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"crypto/x509"
	"math/big"
	"slices"
	"strings"
	"sync"

	"pki.internal/plan/tbs/public"
)

// Hierarchy is certificates and revocation lists that lie beside each other,
// as in one folder. It finds for each what the others say of it: its issuer,
// the authorities above, who shares its key, name or number, and which list
// comes before which. It is made once, and then only read.
type Hierarchy struct {
	certs []*placed
	// Each index holds the certificates of one value, in the order of certs.
	bySubject, byFolded, byKeyID, byKey, bySerial map[string][]*placed
	byDER                                         map[[sha256.Size]byte]*placed
	lists                                         []*placedList
	listsOf                                       map[string][]*placedList
	sharedFactor                                  func() map[string]string
}

// placed is a certificate that was handed in, with its place.
type placed struct {
	neighbour
	// issuer is another certificate of the hierarchy; nil for a root, and where
	// it is not there. likeNamed has the issuer's name and neither its key nor
	// its key identifier.
	issuer, likeNamed *placed
	// byGo says that Go reads the certificate.
	byGo bool
	// below are the certificates that this one issued.
	below []*placed
}

// NewHierarchy reads what is handed in, and skips what nobody can read: that is
// said where it is judged. Owners are names for findings, such as paths.
func NewHierarchy(certificates, lists []KnownCertificate) *Hierarchy {
	h := &Hierarchy{
		bySubject: map[string][]*placed{}, byFolded: map[string][]*placed{}, byKeyID: map[string][]*placed{},
		byKey: map[string][]*placed{}, bySerial: map[string][]*placed{}, listsOf: map[string][]*placedList{}, byDER: map[[sha256.Size]byte]*placed{},
	}
	seen := map[[sha256.Size]byte]bool{}
	for _, k := range certificates {
		sum := sha256.Sum256(k.DER)
		if seen[sum] {
			continue
		}
		seen[sum] = true
		c, err := x509.ParseCertificate(k.DER)
		if err != nil {
			c = secondReading(k.DER)
		}
		if c != nil && !nameless(c) {
			p := &placed{neighbour: neighbour{k.Owner, c}, byGo: err == nil}
			h.index(p)
			h.byDER[sum] = p
		}
	}
	for _, p := range h.certs {
		h.findIssuer(p)
	}
	h.breakRings()
	for _, p := range h.certs {
		if p.issuer != nil {
			p.issuer.below = append(p.issuer.below, p)
		}
	}
	h.sharedFactor = sync.OnceValue(func() map[string]string { return sharedFactors(h.certs) })
	h.addLists(lists)
	return h
}

func (h *Hierarchy) index(p *placed) {
	h.certs = append(h.certs, p)
	add := func(m map[string][]*placed, key string) { m[key] = append(m[key], p) }
	add(h.bySubject, string(p.RawSubject))
	if p.IsCA {
		add(h.byFolded, foldedName(p.Subject.String()))
	}
	if len(p.SubjectKeyId) > 0 {
		add(h.byKeyID, string(p.SubjectKeyId))
	}
	add(h.byKey, string(p.RawSubjectPublicKeyInfo))
	add(h.bySerial, serialKey(p.Certificate))
}

// nameless says whether a certificate has no issuer's name, by which nothing can
// be told of it.
func nameless(c *x509.Certificate) bool { return len(c.RawIssuer) <= 2 }

// serialKey is what must be unique (RFC 5280 §4.1.2.2).
func serialKey(c *x509.Certificate) string {
	return string(c.RawIssuer) + "\x00" + c.SerialNumber.Text(16)
}

// foldedName makes names equal that differ in case and white space only, as
// RFC 5280 §7.1 compares them.
func foldedName(name string) string { return strings.Join(strings.Fields(strings.ToLower(name)), " ") }

// findIssuer looks for the certificate whose key signed, by name and key
// identifier, and by trying where those leave a choice.
func (h *Hierarchy) findIssuer(p *placed) {
	signs := func(by *placed) bool { return public.CheckCertificate(p.Certificate, by.Certificate) == nil }
	if bytes.Equal(p.RawSubject, p.RawIssuer) && (selfSigned(p.Certificate) || signs(p)) {
		return
	}
	others := func(m map[string][]*placed, key string) []*placed {
		return slices.DeleteFunc(slices.Clone(m[key]), func(c *placed) bool { return c == p || !c.IsCA && p.IsCA && sameKey(c.Certificate, p.Certificate) })
	}
	named := others(h.bySubject, string(p.RawIssuer))
	fits := func(c *placed) bool { return bytes.Equal(c.SubjectKeyId, p.AuthorityKeyId) }
	if len(p.AuthorityKeyId) > 0 && slices.ContainsFunc(named, fits) {
		p.issuer = best(p, slices.DeleteFunc(slices.Clone(named), func(c *placed) bool { return !fits(c) }), signs)
		return
	}
	var tried []*placed
	if len(p.AuthorityKeyId) > 0 {
		tried = others(h.byKeyID, string(p.AuthorityKeyId))
	}
	tried = append(slices.Clone(named), append(tried, others(h.byFolded, foldedName(p.Issuer.String()))...)...)
	signed := slices.DeleteFunc(tried, func(c *placed) bool { return !signs(c) })
	switch {
	case len(signed) > 0:
		p.issuer = best(p, signed, nil)
	case len(p.AuthorityKeyId) == 0 && len(named) > 0:
		p.issuer = best(p, named, nil)
	case len(named) > 0:
		p.likeNamed = best(p, named, nil)
	}
}

// best is the certificate that serves p best as its issuer's: one whose key
// signed, an authority's, that covers p's life, or else the one that ends last.
// Several certificates of one key are usual: renewals and cross-certificates.
func best(p *placed, candidates []*placed, signs func(*placed) bool) *placed {
	score := func(c *placed) int {
		n := 0
		for i, good := range []bool{
			!c.NotBefore.After(p.NotBefore) && !c.NotAfter.Before(p.NotAfter), c.IsCA,
			signs == nil || len(candidates) == 1 || signs(c),
		} {
			if good {
				n += 1 << i
			}
		}
		return n
	}
	return slices.MaxFunc(candidates, func(a, b *placed) int {
		return cmp.Or(cmp.Compare(score(a), score(b)), a.NotAfter.Compare(b.NotAfter), bytes.Compare(a.Raw, b.Raw))
	})
}

// breakRings makes the way up from every certificate end. Two authorities that
// certified each other, and hold no certificate of their own, stand on nothing.
func (h *Hierarchy) breakRings() {
	const done = 1
	state := map[*placed]int{}
	for i, p := range h.certs {
		walk := i + 2 // unlike done, and another one for each start
		for at := p; at != nil && state[at] != done; at = at.issuer {
			state[at] = walk
			if at.issuer != nil && state[at.issuer] == walk {
				at.issuer = nil
			}
		}
		for at := p; at != nil && state[at] == walk; at = at.issuer {
			state[at] = done
		}
	}
}

// mostNeighbours bounds what a hostile folder can make us compare.
const mostNeighbours = 64

// Surround fills in what the hierarchy knows around a certificate. What the
// caller has already said stays.
func (h *Hierarchy) Surround(c Certificate) Certificate {
	p := h.byDER[sha256.Sum256(c.DER)]
	if p == nil {
		return c
	}
	known := &surroundings{others: h.neighbours(p)}
	if p.byGo {
		known.self = p.Certificate
	}
	c.known = known
	switch {
	case c.Issuer != nil:
	case p.issuer != nil:
		known.issuer = p.issuer.Certificate
	case p.likeNamed != nil:
		c.LikeNamed = p.likeNamed.owner
	}
	for at := p.issuer; at != nil && len(known.above) < mostNeighbours; at = at.issuer {
		if at != p.issuer {
			known.above = append(known.above, at.Certificate)
		}
	}
	for _, other := range h.byKey[string(p.RawSubjectPublicKeyInfo)] {
		// One key under one name is a renewal or a cross-certificate, and one key
		// in two leaves is one machine.
		if !sameSubject(other.Certificate, p.Certificate) && (other.IsCA || p.IsCA) && !sameSubjectAsIssuer(p, other) {
			c.OtherKeys = append(c.OtherKeys, KnownKey{Owner: other.owner, SPKI: other.RawSubjectPublicKeyInfo})
		}
	}
	if twin := h.twin(p); twin != nil && c.Twin == nil {
		known.twin = twin.Certificate
	}
	if !c.Preview {
		c.SharedFactor = h.sharedFactor()[string(p.RawSubjectPublicKeyInfo)]
	}
	c.RevokedBy = h.revokedBy(p)
	c.NextSerial = h.nextSerial(p)
	if p.IsCA {
		h.surroundAuthority(p, &c)
	}
	return c
}

// sameSubjectAsIssuer says whether other is p's issuer: that they share a key is
// said without help.
func sameSubjectAsIssuer(p, other *placed) bool {
	return p.issuer != nil && sameSubject(p.issuer.Certificate, other.Certificate)
}

// neighbours are the certificates with which p can be in conflict: of the same
// number, of the same name, leaves of the same key, and authorities one step away in either direction.
func (h *Hierarchy) neighbours(p *placed) []neighbour {
	near := slices.Concat(h.bySerial[serialKey(p.Certificate)], h.bySubject[string(p.RawSubject)])
	if !p.IsCA {
		// Leaves of one key: a renewal, or a key that was copied.
		sharing := h.byKey[string(p.RawSubjectPublicKeyInfo)]
		near = append(near, sharing[:min(len(sharing), mostNeighbours)]...)
	}
	if p.IsCA {
		near = append(near, h.bySubject[string(p.RawIssuer)]...)
		for at, steps := p.issuer, 0; at != nil && steps < mostNeighbours; at, steps = at.issuer, steps+1 {
			near = append(near, at)
		}
		for _, child := range p.below {
			if child.IsCA {
				near = append(near, child)
			}
		}
	}
	var all []neighbour
	seen := map[*placed]bool{p: true}
	for _, n := range near {
		if !seen[n] && len(all) < mostNeighbours {
			seen[n] = true
			all = append(all, n.neighbour)
		}
	}
	return all
}

// HasIssuer says whether the issuer is known, or the one that is here by its name
// is not it.
func (c Certificate) HasIssuer() bool {
	return c.Issuer != nil || c.known != nil && c.known.issuer != nil
}

// nextSerial names a certificate of the same issuer with the number before or
// after.
func (h *Hierarchy) nextSerial(p *placed) string {
	for _, step := range []int64{-1, 1} {
		near := new(big.Int).Add(p.SerialNumber, big.NewInt(step))
		for _, other := range h.bySerial[serialKey(&x509.Certificate{RawIssuer: p.RawIssuer, SerialNumber: near})] {
			return other.owner
		}
	}
	return ""
}

// twin is the root of the same name and key beside which a cross-certificate
// stands; nil when p is none.
func (h *Hierarchy) twin(p *placed) *placed {
	if !p.IsCA || p.issuer == nil || bytes.Equal(p.RawSubject, p.RawIssuer) {
		return nil
	}
	for _, other := range h.byKey[string(p.RawSubjectPublicKeyInfo)] {
		if other != p && other.IsCA && sameSubject(other.Certificate, p.Certificate) && selfSigned(other.Certificate) {
			return other
		}
	}
	return nil
}

// surroundAuthority says what is known of an authority from what it signed.
func (h *Hierarchy) surroundAuthority(p *placed, c *Certificate) {
	c.TiersBelow = max(c.TiersBelow, tiers(p, mostNeighbours))
	leaves := 0
	for _, child := range p.below {
		if !child.IsCA && !isResponder(&object{cert: &certificate{Certificate: child.Certificate}}) {
			leaves++
		}
		c.OwnListURLs = append(c.OwnListURLs, child.CRLDistributionPoints...)
	}
	c.OnlyLeaves = leaves > 0 && c.TiersBelow == 0
	for _, l := range h.listsOf[string(p.RawSubject)] {
		if l.issuer == p {
			c.OwnListURLs = append(c.OwnListURLs, l.urls...)
		}
	}
	slices.Sort(c.OwnListURLs)
	c.OwnListURLs = slices.Compact(c.OwnListURLs)
}

// tiers is how many tiers of authorities there are below p. Certificates of one
// name count as one tier (RFC 5280 §4.2.1.9, self-issued).
func tiers(p *placed, deepest int) int {
	most := 0
	for _, child := range p.below {
		if child.IsCA && deepest > 0 {
			step := 1
			if bytes.Equal(child.RawSubject, child.RawIssuer) {
				step = 0
			}
			most = max(most, step+tiers(child, deepest-1))
		}
	}
	return most
}

// Authorities are the keys of all authorities, for requests and SSH
// certificates, but for those under the name that is left out.
func (h *Hierarchy) Authorities(but []byte) []KnownKey {
	var all []KnownKey
	for _, p := range h.certs {
		if p.IsCA && (but == nil || !bytes.Equal(p.RawSubject, but)) {
			all = append(all, KnownKey{Owner: p.owner, SPKI: p.RawSubjectPublicKeyInfo})
		}
	}
	return all
}
