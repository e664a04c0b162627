package tbs

import (
	"crypto"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pki.internal/plan/tbs/public"
	"pki.internal/spec"
)

// testKey is a preview key with its public half. RSA keys take long to put
// together, so each is made once.
type testKey struct {
	algorithm spec.Algorithm
	private   crypto.Signer
	spki, id  []byte
}

var testKeys sync.Map

func keyOf(t testing.TB, a spec.Algorithm, index int) testKey {
	t.Helper()
	name := fmt.Sprint(a, index)
	if k, made := testKeys.Load(name); made {
		return k.(testKey)
	}
	private, err := PreviewKey(a, index)
	if err != nil {
		t.Fatal(err)
	}
	spki, err := public.Marshal(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	id, err := KeyID(spki)
	if err != nil {
		t.Fatal(err)
	}
	k := testKey{a, private, spki, id}
	testKeys.Store(name, k)
	return k
}

// must takes what an encoder gives.
func must[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// seal signs with a preview key and puts the object together.
func (k testKey) seal(t testing.TB, built []byte) []byte {
	t.Helper()
	signature := must[[]byte](t)(Sign(k.private, k.algorithm, built))
	return must[[]byte](t)(Assemble(built, k.algorithm, signature))
}

// wish is everything that a CA certificate of ours can say, before encoding.
type wish struct {
	key, issuerKey  testKey
	serial          []byte
	subject, issuer spec.Name
	from, to        time.Time
	pathLen         int
	usages          []spec.ExtKeyUsage
	aia, cdp        []string
	constraints     *spec.NameConstraints
}

// template encodes a wish, in the order of extensions of crypto/x509.
func (w wish) template(t testing.TB) *Certificate {
	t.Helper()
	extension := must[Extension](t)
	c := &Certificate{
		Serial: hex.EncodeToString(w.serial), Signature: w.issuerKey.algorithm, NotBefore: w.from, NotAfter: w.to,
		Issuer: must[[]byte](t)(EncodeName(w.issuer)), Subject: must[[]byte](t)(EncodeName(w.subject)),
	}
	add := func(e Extension) { c.Extensions = append(c.Extensions, e) }
	add(extension(KeyUsageCA()))
	if len(w.usages) > 0 {
		add(extension(ExtKeyUsage(w.usages)))
	}
	add(extension(BasicConstraintsCA(w.pathLen)))
	add(OpenSubjectKeyID())
	add(OpenAuthorityKeyID())
	if len(w.aia) > 0 {
		add(extension(AuthorityInfoAccess(w.aia)))
	}
	if w.constraints != nil {
		add(extension(NameConstraints(w.constraints)))
	}
	if len(w.cdp) > 0 {
		add(extension(CRLDistributionPoints(w.cdp)))
	}
	return c
}

func (w wish) keys() Keys { return Keys{Subject: w.key.spki, IssuerID: w.issuerKey.id} }

func (w wish) build(t testing.TB) []byte {
	t.Helper()
	return must[[]byte](t)(w.template(t).Build(w.keys()))
}

// plain is the wish that tests change in one place.
func plain(t testing.TB) wish {
	return wish{
		key: keyOf(t, spec.ECDSAP256, 0), issuerKey: keyOf(t, spec.ECDSAP384, 1), serial: []byte{0x4d, 0x01},
		subject: spec.Name{{Type: "country", Value: "DE"}, {Type: "common_name", Value: "Issuing"}},
		issuer:  spec.Name{{Type: "common_name", Value: "Root"}},
		from:    time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), to: time.Date(2030, 12, 31, 23, 59, 59, 0, time.UTC),
		pathLen: 1, usages: []spec.ExtKeyUsage{"server_auth"},
		aia: []string{"http://pki.example/root.cer"}, cdp: []string{"http://pki.example/root.crl"},
		constraints: &spec.NameConstraints{PermittedDNS: []string{"example"}},
	}
}

// wishes draws a random certificate.
func wishes(outer testing.TB) *rapid.Generator[wish] {
	return rapid.Custom(func(t *rapid.T) wish {
		algorithm := rapid.SampledFrom(knownToGo())
		from, to := period(t)
		return wish{
			key:       keyOf(outer, algorithm.Draw(t, "key"), 0),
			issuerKey: keyOf(outer, algorithm.Draw(t, "issuer key"), 1),
			serial:    serialNumber(t), subject: distinguishedName(t, "subject"), issuer: distinguishedName(t, "issuer"),
			from: from, to: to, pathLen: rapid.IntRange(0, 300).Draw(t, "path length"),
			usages:      rapid.SliceOfNDistinct(rapid.SampledFrom(spec.ExtKeyUsages()), 0, 5, rapid.ID).Draw(t, "usages"),
			aia:         urls(0, 3).Draw(t, "AIA"),
			cdp:         urls(0, 3).Draw(t, "CDP"),
			constraints: constraints(t),
		}
	})
}

// serialNumber is 1 to 20 octets whose number is positive and below 2^159.
func serialNumber(t *rapid.T) []byte {
	serial := rapid.SliceOfN(rapid.Byte(), 1, 20).Draw(t, "serial")
	serial[0] = serial[0]&0x7f | 1
	return serial
}

// period draws whole seconds that X.509 can write: 1950 to 9999.
func period(t *rapid.T) (from, to time.Time) {
	first := time.Date(1950, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	last := time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC).Unix()
	start := rapid.Int64Range(first, last-1).Draw(t, "from")
	zone := time.FixedZone("elsewhere", 3600*rapid.IntRange(-12, 14).Draw(t, "zone"))
	return time.Unix(start, 0).In(zone), time.Unix(rapid.Int64Range(start+1, last).Draw(t, "to"), 0).In(zone)
}

// distinguishedName draws a name that Check accepts.
func distinguishedName(t *rapid.T, label string) spec.Name {
	text := rapid.StringMatching(`[A-Za-z0-9'()+,./:=?*&@_äé漢-][A-Za-z0-9 '()+,./:=?*&@_äé漢-]{0,14}x`)
	own := map[string][]string{"common_name": {text.Draw(t, label+" CN")}}
	for _, word := range []string{"organization", "organizational_unit", "locality", "province", "street_address", "postal_code"} {
		own[word] = rapid.SliceOfN(text, 0, 2).Draw(t, label+" "+word)
	}
	own["country"] = rapid.SliceOfN(rapid.StringMatching(`[A-Z]{2}`), 0, 1).Draw(t, label+" C")
	return spec.NewName(own, nil)
}

func urls(low, high int) *rapid.Generator[[]string] {
	return rapid.SliceOfN(rapid.StringMatching(`http://[a-z]{1,8}\.example(:[1-9][0-9]{1,3})?/[a-z0-9/._-]{0,20}`), low, high)
}

func constraints(t *rapid.T) *spec.NameConstraints {
	hosts := rapid.SliceOfN(rapid.StringMatching(`[a-z]{1,8}(\.[a-z]{1,8}){0,3}`), 0, 2)
	boxes := rapid.SliceOfN(rapid.StringMatching(`([a-z]{1,8}@)?[a-z]{1,8}\.[a-z]{2,3}`), 0, 2)
	uris := rapid.SliceOfN(rapid.StringMatching(`\.?[a-z]{1,8}\.[a-z]{2,3}`), 0, 2)
	nets := rapid.SliceOfN(rapid.Custom(network), 0, 2)
	n := &spec.NameConstraints{
		Critical:     rapid.Bool().Draw(t, "critical"),
		PermittedDNS: hosts.Draw(t, "permitted DNS"), ExcludedDNS: hosts.Draw(t, "excluded DNS"),
		PermittedIP: nets.Draw(t, "permitted IP"), ExcludedIP: nets.Draw(t, "excluded IP"),
		PermittedEmail: boxes.Draw(t, "permitted email"), ExcludedEmail: boxes.Draw(t, "excluded email"),
		PermittedURI: uris.Draw(t, "permitted URI"), ExcludedURI: uris.Draw(t, "excluded URI"),
	}
	if all := slices.Concat(n.PermittedDNS, n.ExcludedDNS, n.PermittedIP, n.ExcludedIP, n.PermittedEmail, n.ExcludedEmail, n.PermittedURI, n.ExcludedURI); len(all) == 0 {
		return nil
	}
	return n
}

// network draws an IPv4 or IPv6 prefix without bits outside its mask.
func network(t *rapid.T) string {
	size := rapid.SampledFrom([]int{4, 16}).Draw(t, "family")
	address, _ := netip.AddrFromSlice(rapid.SliceOfN(rapid.Byte(), size, size).Draw(t, "address"))
	prefix := netip.PrefixFrom(address, rapid.IntRange(0, 8*size).Draw(t, "bits"))
	return prefix.Masked().String()
}

// knownToGo lists the algorithms that crypto/x509 of Go 1.26 signs with, so
// that its bytes can be compared.
func knownToGo() []spec.Algorithm {
	return slices.DeleteFunc(spec.Algorithms(), spec.Algorithm.PostQuantum)
}
