package tbs

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pki.internal/spec"
)

// list is everything that a CRL of ours can say, before encoding.
type list struct {
	key      testKey
	issuer   spec.Name
	from, to time.Time
	number   *big.Int
	entries  []Entry
	urls     []string
	onlyCAs  bool
}

func (l list) template(t testing.TB) *CRL {
	t.Helper()
	extension := must[Extension](t)
	c := &CRL{
		Signature: l.key.algorithm, Issuer: must[[]byte](t)(EncodeName(l.issuer)), ThisUpdate: l.from, NextUpdate: l.to,
		Entries:    l.entries,
		Extensions: []Extension{OpenAuthorityKeyID(), extension(CRLNumber(l.number.String()))},
	}
	if len(l.urls) > 0 {
		c.Extensions = append(c.Extensions, extension(IssuingDistributionPoint(l.urls, l.onlyCAs)))
	}
	return c
}

func plainList(t testing.TB) list {
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	return list{
		key: keyOf(t, spec.ECDSAP384, 1), issuer: spec.Name{{Type: "common_name", Value: "Root"}}, from: from, to: from.AddDate(1, 0, 0),
		number: big.NewInt(7), entries: []Entry{{Serial: "4d02", Date: from, Reason: 4}}, urls: []string{"http://pki.example/root.crl"}, onlyCAs: true,
	}
}

func lists(outer testing.TB) *rapid.Generator[list] {
	entry := rapid.Custom(func(t *rapid.T) Entry {
		at, _ := period(t)
		reason := rapid.SampledFrom([]int{0, 1, 2, 3, 4, 5, 6, 9, 10}).Draw(t, "reason")
		return Entry{Serial: hex.EncodeToString(serialNumber(t)), Date: at, Reason: reason}
	})
	return rapid.Custom(func(t *rapid.T) list {
		from, to := period(t)
		return list{
			key:    keyOf(outer, rapid.SampledFrom(knownToGo()).Draw(t, "key"), 1),
			issuer: distinguishedName(t, "issuer"), from: from, to: to,
			number:  new(big.Int).SetBytes(serialNumber(t)),
			entries: rapid.SliceOfN(entry, 0, 5).Draw(t, "entries"),
			urls:    urls(0, 3).Draw(t, "IDP"), onlyCAs: rapid.Bool().Draw(t, "only CAs"),
		}
	})
}

// TestCRLReadsBack holds random lists against crypto/x509 as a reader.
func TestCRLReadsBack(t *testing.T) {
	all := lists(t)
	rapid.Check(t, func(r *rapid.T) {
		l := all.Draw(r, "list")
		built := must[[]byte](t)(l.template(t).Build(Keys{IssuerID: l.key.id}))
		c, err := x509.ParseRevocationList(l.key.seal(t, built))
		if err != nil {
			r.Fatal(err)
		}
		if err := Verify(l.key.algorithm, l.key.spki, c.RawTBSRevocationList, c.Signature); err != nil {
			r.Fatal(err)
		}
		same := func(what string, ok bool) {
			if !ok {
				r.Errorf("%s does not read back", what)
			}
		}
		same("bytes", bytes.Equal(c.RawTBSRevocationList, built))
		same("issuer", nameReadsBack(l.issuer, c.RawIssuer))
		same("number", c.Number.Cmp(l.number) == 0)
		same("this update", c.ThisUpdate.Equal(l.from))
		same("next update", c.NextUpdate.Equal(l.to))
		same("authority key identifier", bytes.Equal(c.AuthorityKeyId, l.key.id))
		same("entries", slices.EqualFunc(c.RevokedCertificateEntries, l.entries, sameEntry))
		l.holdsScope(r, c)
	})
}

func sameEntry(have x509.RevocationListEntry, want Entry) bool {
	serial, _ := new(big.Int).SetString(want.Serial, 16)
	extensions := 1
	if want.Reason == 0 { // RFC 5280 §5.3.1: left out rather than written as 0
		extensions = 0
	}
	return have.SerialNumber.Cmp(serial) == 0 && have.RevocationTime.Equal(want.Date) && have.ReasonCode == want.Reason && len(have.Extensions) == extensions
}

// holdsScope reads the issuing distribution point by hand, since Go does not.
func (l list) holdsScope(r *rapid.T, c *x509.RevocationList) {
	i := slices.IndexFunc(c.Extensions, func(e pkix.Extension) bool { return e.Id.String() == oidIDP })
	if len(l.urls) == 0 {
		if i >= 0 {
			r.Error("a scope appeared")
		}
		return
	}
	if i < 0 || !c.Extensions[i].Critical {
		r.Fatal("the scope is missing or not critical (RFC 5280 §5.2.5)")
	}
	var scope struct {
		Name struct {
			FullName []asn1.RawValue `asn1:"tag:0"`
		} `asn1:"tag:0"`
		OnlyUserCerts bool `asn1:"tag:1,optional"`
		OnlyCACerts   bool `asn1:"tag:2,optional"`
	}
	if rest, err := asn1.Unmarshal(c.Extensions[i].Value, &scope); err != nil || len(rest) > 0 {
		r.Fatalf("scope %x: %v", c.Extensions[i].Value, err)
	}
	var have []string
	for _, n := range scope.Name.FullName {
		if n.Class != asn1.ClassContextSpecific || n.Tag != tagURI {
			r.Errorf("the scope has a name of tag %d", n.Tag)
		}
		have = append(have, string(n.Bytes))
	}
	if !slices.Equal(have, l.urls) || scope.OnlyCACerts != l.onlyCAs || scope.OnlyUserCerts {
		r.Errorf("scope = %q %+v", have, scope)
	}
}

func TestCRLRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*CRL)
		want   string
	}{
		"signature":      {func(c *CRL) { c.Signature = "md5" }, "md5"},
		"two issuers":    {func(c *CRL) { c.Issuer = append(c.Issuer, c.Issuer...) }, "distinguished name"},
		"empty serial":   {func(c *CRL) { c.Entries[0].Serial = "" }, "serial"},
		"signed serial":  {func(c *CRL) { c.Entries[0].Serial = "-4" }, "serial"},
		"reason 7":       {func(c *CRL) { c.Entries[0].Reason = 7 }, "CRLReason"},
		"removeFromCRL":  {func(c *CRL) { c.Entries[0].Reason = 8 }, "CRLReason"},
		"reason 11":      {func(c *CRL) { c.Entries[0].Reason = 11 }, "CRLReason"},
		"reason below 0": {func(c *CRL) { c.Entries[0].Reason = -1 }, "CRLReason"},
	} {
		template := plainList(t).template(t)
		template.Entries = slices.Clone(template.Entries)
		c.change(template)
		if built, err := template.Build(Keys{IssuerID: []byte{1}}); err == nil || built != nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: Build = %x, %v; want an error with %q", name, built, err, c.want)
		}
	}
	if _, err := plainList(t).template(t).Build(Keys{}); err == nil {
		t.Error("an open authority key identifier was built without one")
	}
}

// TestCRLNumber keeps numbers within RFC 5280 §5.2.3 and in one form.
func TestCRLNumber(t *testing.T) {
	limit := new(big.Int).Lsh(big.NewInt(1), maxSerialBits)
	most := new(big.Int).Sub(limit, big.NewInt(1)).String()
	for _, number := range []string{"1", "9", "4294967296", most} {
		e, err := CRLNumber(number)
		var have *big.Int
		if _, bad := asn1.Unmarshal(e.Value, &have); err != nil || bad != nil || have.String() != number || e.Critical || e.OID != "2.5.29.20" {
			t.Errorf("CRLNumber(%s) = %v, %v; it reads back as %s", number, e, err, have)
		}
	}
	for _, number := range []string{"", "0", "-1", limit.String(), "+1", "01", "1.0", "1e3", "0x1", " 1", "1_000"} {
		if e, err := CRLNumber(number); err == nil {
			t.Errorf("CRLNumber(%q) = %x", number, e.Value)
		}
	}
}
