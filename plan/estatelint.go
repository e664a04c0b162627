package plan

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"

	"pki.internal/lint"
	"pki.internal/plan/tbs"
	"pki.internal/spec"
)

// EstateFacts is what lint judges of an estate as a whole: who stands below
// whom, with which key and for how long, who holds the shares of a secret, who
// acts, and what is known of keys on tokens. at is the date of the next ceremony.
func EstateFacts(e *spec.Estate, s State, at time.Time) lint.Estate {
	facts := lint.Estate{Production: e.Environment == spec.Production}
	for _, a := range e.IssuanceOrder() {
		one := lint.EstateAuthority{
			Address: a.Address.String(), Algorithm: string(algorithmOf(s, a)), NotBefore: at, NotAfter: a.Validity.Last(at), IssuesLeaves: e.IssuesLeaves(a),
		}
		if a.Issuer != nil {
			one.Issuer = a.Issuer.Address.String()
		}
		if have, known := s.Authority(a.Address); known {
			if c, err := x509.ParseCertificate(have.Certificate); err == nil {
				one.NotBefore, one.NotAfter = c.NotBefore, c.NotAfter
			}
		}
		for _, child := range e.Children(a) {
			life := child.Validity.Last(at).Sub(at)
			one.LongestChildDays = max(one.LongestChildDays, int(life/(24*time.Hour))+1)
		}
		facts.Authorities = append(facts.Authorities, one)
	}
	for _, c := range e.Custodians {
		set := lint.ShareSet{Address: c.Address.String(), Threshold: c.Threshold}
		for _, h := range c.Holders {
			set.Holders = append(set.Holders, lint.Holder{Name: h.Name, Site: h.Site, Shares: 1})
		}
		facts.ShareSets = append(facts.ShareSets, set)
	}
	facts.People = people(e)
	facts.Keys = tokenKeys(e, s)
	return facts
}

// Drift is where the estate describes another certificate than the one that was
// made for an authority from it, by address. A generation that is still to be
// made is no drift, and neither is what was imported, or what follows from an
// issuer whose next key is still to be made.
func Drift(e *spec.Estate, s State) map[string][]string {
	drift := map[string][]string{}
	upToDate := func(a *spec.Authority) (Authority, Generation, bool) {
		have, known := s.Authority(a.Address)
		g, made := have.At(a.KeyGeneration())
		return have, g, known && made && !g.Imported && len(have.Want) > 0 && a.KeyGeneration() == have.last()
	}
	for _, a := range e.Authorities {
		have, g, made := upToDate(a)
		if !made {
			continue
		}
		found := sameKeyElsewhere(differences(have.Want, wanted(e, a)), a, g)
		if a.Issuer != nil {
			if _, _, settled := upToDate(a.Issuer); !settled {
				found = slices.DeleteFunc(found, Difference.inherited)
			}
		}
		for _, d := range found {
			drift[a.Address.String()] = append(drift[a.Address.String()], fmt.Sprintf("%s was %q and is %q", d.Name, d.Before, d.After))
		}
	}
	return drift
}

// people gathers officers by their keys: who has one key is one person, under
// whatever names.
func people(e *spec.Estate) []lint.Person {
	var all []lint.Person
	at := map[string]int{}
	for _, o := range e.Officers {
		i, known := at[o.Material]
		if !known || o.Material == "" {
			i = len(all)
			at[o.Material] = i
			all = append(all, lint.Person{Name: o.Name()})
		}
		all[i].Roles = append(all[i].Roles, o.Role)
	}
	return all
}

// algorithmOf tells what an authority's key is or will be; empty when its
// request cannot be read.
func algorithmOf(s State, a *spec.Authority) spec.Algorithm {
	if have, known := s.Authority(a.Address); known {
		if algorithm, err := tbs.AlgorithmOfSPKI(have.SPKI()); err == nil {
			return algorithm
		}
	}
	if a.Key != nil {
		return a.Key.Algorithm
	}
	if a.CSR == nil {
		return ""
	}
	request, err := x509.ParseCertificateRequest(a.CSR.DER)
	if err != nil {
		return ""
	}
	algorithm, _ := tbs.AlgorithmOfSPKI(request.RawSubjectPublicKeyInfo)
	return algorithm
}

// judgeEstate lints the estate as a whole. What it finds is about later years
// and about people, and stops no ceremony of today: reviewers see it in the
// plan. Each finding belongs to the block that it speaks of first, whose
// waivers cover it.
func (m *maker) judgeEstate() {
	facts := EstateFacts(m.estate, m.state, m.in.At)
	facts.Ceremony = m.ceremonyFacts()
	for _, f := range m.linter.Estate(facts, m.in.At) {
		object := m.about(f).Address
		judged, _ := m.policy.Judge(object.String(), []lint.Finding{f}, m.in.At)
		for i, w := range m.estate.Lint.Waivers {
			if w.Lint == f.Lint && w.Object == object && judged[0].Waived != "" {
				m.waived[i] = true
			}
		}
		m.plan.Findings = append(m.plan.Findings, judged...)
	}
}

// about finds the block that a finding of the estate speaks of first.
func (m *maker) about(f lint.Finding) spec.Origin {
	origin, first := m.estate.Origin, len(f.Detail)
	consider := func(o spec.Origin) {
		words := strings.FieldsFunc(f.Detail, func(r rune) bool { return r == ' ' || r == ',' || r == ';' || r == ':' })
		if !slices.Contains(words, o.Address.String()) {
			return
		}
		if at := strings.Index(f.Detail, o.Address.String()); at < first {
			origin, first = o, at
		}
	}
	for _, a := range m.estate.Authorities {
		consider(a.Origin)
	}
	for _, c := range m.estate.Custodians {
		consider(c.Origin)
	}
	return origin
}
