package plan

import (
	"crypto/x509"
	"encoding/asn1"
	"slices"

	"pki.internal/plan/tbs"
	"pki.internal/spec"
)

const oidIDP = "2.5.29.28"

// oldKeys lists the generations of an authority whose keys still owe lists: as
// long as a certificate counts that such a key signed. The ledger knows what is
// below an authority that signs authorities; of one that issues leaves it knows
// nothing, so that its old key owes lists until its own certificate ends.
func (m *maker) oldKeys(a *spec.Authority, have Authority, own *material) []Generation {
	var owing []Generation
	for _, g := range have.Generations {
		c := g.certificate()
		if g.Number == own.ref.Generation || c == nil || g.Key == nil || g.CRL == nil || m.in.At.After(c.NotAfter) {
			continue
		}
		if m.estate.IssuesLeaves(a) && !m.estate.SignsOwnCRL(a) || m.signedStillCounts(a, g) {
			owing = append(owing, g)
		}
	}
	return owing
}

// signedStillCounts reports whether a key of an authority signed a certificate
// of another that has not ended.
func (m *maker) signedStillCounts(a *spec.Authority, g Generation) bool {
	return slices.ContainsFunc(m.state.signedBy(a.Address, g.Number), func(c Issued) bool { return !m.in.At.After(c.parsed.NotAfter) })
}

// useStore notes the secret that opens the key of one generation, which may
// lie in another store than the newest.
func (m *maker) useStore(a *spec.Authority, own *material, have Generation) {
	if have.Key == nil || own.ref.MadeBy > 0 {
		m.useSecret(a.Key.Store.Password)
		return
	}
	place := have.Place(a).Store
	for _, k := range m.estate.KeyStores {
		if k.Address == place {
			m.useSecret(k.Password)
			return
		}
	}
	m.diags.Report(a.Origin, "key", "Key store of an old key is gone",
		"The key of %s is in %s, which the estate no longer describes, and it still has to sign. Put the key_store block back.",
		Label(a.Address, have.Number), place)
}

// useKey notes the secret that opens the key of one generation of an
// authority.
func (m *maker) useKey(a *spec.Authority, generation int) {
	have, _ := m.state.Authority(a.Address)
	g, _ := have.At(generation)
	m.useStore(a, &material{ref: KeyRef{Generation: generation}}, g)
}

// scopeOf gives the issuing distribution point of a list.
func scopeOf(list *x509.RevocationList) (tbs.Extension, bool) {
	for _, e := range list.Extensions {
		if e.Id.String() == oidIDP {
			return tbs.Extension{OID: oidIDP, Critical: e.Critical, Value: e.Value}, true
		}
	}
	return tbs.Extension{}, false
}

// distributionPoints gives the URLs in a list's issuing distribution point
// (RFC 5280 §5.2.5), none when it has none or names no URL.
func distributionPoints(list *x509.RevocationList) []string {
	scope, scoped := scopeOf(list)
	var point struct {
		Name struct {
			Full []asn1.RawValue `asn1:"optional,tag:0"`
		} `asn1:"optional,tag:0"`
		User      bool           `asn1:"optional,tag:1"`
		CA        bool           `asn1:"optional,tag:2"`
		Reasons   asn1.BitString `asn1:"optional,tag:3"`
		Indirect  bool           `asn1:"optional,tag:4"`
		Attribute bool           `asn1:"optional,tag:5"`
	}
	if _, err := asn1.Unmarshal(scope.Value, &point); !scoped || err != nil {
		return nil
	}
	var urls []string
	for _, name := range point.Name.Full {
		const uri = 6 // GeneralName, uniformResourceIdentifier
		if name.Class == asn1.ClassContextSpecific && name.Tag == uri {
			urls = append(urls, string(name.Bytes))
		}
	}
	return urls
}

// listReason says why a list is signed again.
func listReason(last *x509.RevocationList, entries []tbs.Entry) string {
	switch {
	case last == nil:
		return "it is the first of its key"
	case !sameEntries(last, entries):
		return "other certificates are revoked than in the last one"
	}
	return "the last one is old enough"
}
