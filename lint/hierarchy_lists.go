package lint

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"pki.internal/plan/tbs/public"
)

// reasonRemoveFromCRL takes an entry back, in delta lists (RFC 5280 §5.3.1).
const reasonRemoveFromCRL = 8

// placedList is a revocation list that was handed in, with its place.
type placedList struct {
	owner string
	*revocationList
	issuer *placed
	// before is the newest list of the same issuer and scope that is older.
	before, after, base *placedList
	// urls are those of the issuing distribution point.
	urls []string
	// revoked is the numbers on the list.
	revoked map[string]bool
}

// scopeKey is equal for lists that take each other's place: the same issuer's
// key, the same distribution point, complete or delta.
func (l *placedList) scopeKey() string {
	key := fmt.Sprintf("%x|%x|%t|", l.RawIssuer, l.AuthorityKeyId, l.delta() != nil)
	if s := l.scope(); s != nil {
		key += fmt.Sprintf("%t%t%t%t|%s", s.onlyUsers, s.onlyCAs, s.indirect, s.onlyAttributes, strings.Join(s.urls, " "))
	}
	return key
}

// addLists reads the lists and puts them in order.
func (h *Hierarchy) addLists(lists []KnownCertificate) {
	series := map[string][]*placedList{}
	seen := map[string]bool{}
	for _, k := range lists {
		parsed, err := x509.ParseRevocationList(k.DER)
		if err != nil || seen[string(k.DER)] {
			continue
		}
		seen[string(k.DER)] = true
		l := &placedList{owner: k.Owner, revocationList: &revocationList{RevocationList: parsed}}
		if s := l.scope(); s != nil {
			l.urls = s.urls
		}
		l.revoked = make(map[string]bool, len(l.RevokedCertificateEntries))
		for _, entry := range l.RevokedCertificateEntries {
			if entry.ReasonCode != reasonRemoveFromCRL {
				l.revoked[string(entry.SerialNumber.Bytes())] = true
			}
		}
		l.issuer = h.listIssuer(l)
		h.lists = append(h.lists, l)
		h.listsOf[string(l.RawIssuer)] = append(h.listsOf[string(l.RawIssuer)], l)
		series[l.scopeKey()] = append(series[l.scopeKey()], l)
	}
	for _, all := range series {
		slices.SortStableFunc(all, func(a, b *placedList) int {
			return cmp.Or(a.ThisUpdate.Compare(b.ThisUpdate), compareNumbers(a.Number, b.Number))
		})
		for i := 1; i < len(all); i++ {
			all[i].before, all[i-1].after = all[i-1], all[i]
		}
	}
	for _, l := range h.lists {
		if l.delta() != nil {
			l.base = h.baseOf(l)
		}
	}
}

func compareNumbers(a, b *big.Int) int {
	if a == nil || b == nil {
		return 0
	}
	return a.Cmp(b)
}

// listIssuer looks for the issuer's certificate as for a certificate's.
func (h *Hierarchy) listIssuer(l *placedList) *placed {
	named := h.bySubject[string(l.RawIssuer)]
	signs := func(c *placed) bool { return public.CheckList(l.RevocationList, c.Certificate) == nil }
	fits := func(c *placed) bool {
		return len(l.AuthorityKeyId) == 0 || bytes.Equal(c.SubjectKeyId, l.AuthorityKeyId)
	}
	signed := slices.DeleteFunc(slices.Clone(named), func(c *placed) bool { return !signs(c) })
	if len(signed) == 0 && len(l.AuthorityKeyId) > 0 {
		signed = slices.DeleteFunc(slices.Clone(h.byKeyID[string(l.AuthorityKeyId)]), func(c *placed) bool { return !signs(c) })
	}
	if len(signed) == 0 {
		signed = slices.DeleteFunc(slices.Clone(named), func(c *placed) bool { return !fits(c) })
	}
	if len(signed) == 0 {
		return nil
	}
	return slices.MaxFunc(signed, func(a, b *placed) int {
		return cmp.Or(compareTruth(fits(a), fits(b)), compareTruth(a.IsCA, b.IsCA), a.NotAfter.Compare(b.NotAfter), bytes.Compare(a.Raw, b.Raw))
	})
}

func compareTruth(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// baseOf is the newest complete list of a delta's issuer that is not newer.
func (h *Hierarchy) baseOf(delta *placedList) *placedList {
	var base *placedList
	for _, l := range h.listsOf[string(delta.RawIssuer)] {
		if l.delta() == nil && !l.ThisUpdate.After(delta.ThisUpdate) && (base == nil || l.ThisUpdate.After(base.ThisUpdate)) {
			base = l
		}
	}
	return base
}

// SurroundList is [Hierarchy.Surround] for a list.
func (h *Hierarchy) SurroundList(c CRL) CRL {
	i := slices.IndexFunc(h.lists, func(l *placedList) bool { return bytes.Equal(l.Raw, c.DER) })
	if i < 0 {
		return c
	}
	l := h.lists[i]
	if c.Issuer == nil && l.issuer != nil {
		c.Issuer = l.issuer.Raw
	}
	if c.Previous == nil && l.before != nil {
		c.Previous = l.before.Raw
	}
	if c.Base == nil && l.base != nil {
		c.Base = l.base.Raw
	}
	c.Superseded = l.after != nil
	if l.issuer == nil {
		if named := h.bySubject[string(l.RawIssuer)]; c.Issuer == nil && len(named) > 0 {
			c.LikeNamed = named[0].owner
		}
		return c
	}
	for _, child := range l.issuer.below {
		if child.IsCA {
			c.Authorities = append(c.Authorities, child.SerialNumber)
		}
		if child.IsCA && c.Role == RoleUnknown {
			c.Role = RolePolicy
		}
		if len(c.Covers) < mostNeighbours && h.looksFor(child, l) {
			c.Covers = append(c.Covers, child.Raw)
		}
	}
	return c
}

// looksFor says whether a certificate has no better list than l: it names a
// distribution point, l speaks of its kind, and no other list is for it.
func (h *Hierarchy) looksFor(c *placed, l *placedList) bool {
	s := l.scope()
	if len(c.CRLDistributionPoints) == 0 || s == nil || s.onlyUsers && c.IsCA || s.onlyCAs && !c.IsCA || s.onlyAttributes {
		return false
	}
	return !slices.ContainsFunc(h.listsOf[string(l.RawIssuer)], func(other *placedList) bool {
		return other != l && slices.ContainsFunc(other.urls, func(url string) bool { return slices.Contains(c.CRLDistributionPoints, url) })
	})
}

// revokedBy names the newest list of the issuer that has the certificate's
// number; empty when none has.
func (h *Hierarchy) revokedBy(p *placed) string {
	for _, l := range h.listsOf[string(p.RawIssuer)] {
		if s := l.scope(); s != nil && s.indirect {
			continue // its entries may be of other issuers
		}
		if l.after != nil || p.issuer != nil && (l.issuer == nil || !sameKey(l.issuer.Certificate, p.issuer.Certificate)) {
			continue
		}
		if l.revoked[string(p.SerialNumber.Bytes())] {
			return l.owner
		}
	}
	return ""
}

// AnsweredFor is the DER of the certificate of the authority that an OCSP
// response answers for; nil when it is not in the hierarchy.
func (h *Hierarchy) AnsweredFor(response []byte) []byte {
	r, err := readOCSP(response)
	if err != nil {
		return nil
	}
	for _, p := range h.certs {
		if p.IsCA && len(r.answers) > 0 && r.answers[0].about(p.Certificate) {
			return p.Raw
		}
	}
	return nil
}
