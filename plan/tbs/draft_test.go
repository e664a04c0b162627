package tbs

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"encoding/json"
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"pki.internal/plan/tbs/public"
	"pki.internal/spec"
)

// TestDraft keeps the signature of nobody in the right form for a linter, and
// refused by every verifier.
func TestDraft(t *testing.T) {
	for _, a := range spec.Algorithms() {
		w := plain(t)
		w.issuerKey = keyOf(t, a, 1)
		built := w.build(t)
		c, err := x509.ParseCertificate(must[[]byte](t)(Draft(built, a)))
		if err != nil {
			t.Fatalf("%s: %v", a, err)
		}
		// Which ML-DSA it is, Go tells from 1.27 on.
		named := c.SignatureAlgorithm == goSignature(a) || a.PostQuantum()
		if !bytes.Equal(c.RawTBSCertificate, built) || !named || !strings.HasPrefix(public.SignatureOf(c.SignatureAlgorithm, c.Raw), signatureName(a)) {
			t.Errorf("%s: the draft changed what it holds", a)
		}
		real := must[[]byte](t)(Sign(w.issuerKey.private, a, built))
		if !sameForm(a, c.Signature, real) {
			t.Errorf("%s: the draft's signature %x has not the form of %x", a, c.Signature, real)
		}
		for index := range 3 {
			k := keyOf(t, a, index)
			if err := Verify(a, k.spki, built, c.Signature); !errors.Is(err, ErrSignature) {
				t.Errorf("%s key %d: Verify = %v, want ErrSignature", a, index, err)
			}
		}
	}
}

// signatureName is how the name of an algorithm's signatures begins.
func signatureName(a spec.Algorithm) string {
	if a.PostQuantum() {
		return a.Title()
	}
	return goSignature(a).String()
}

// sameForm compares lengths, and for ECDSA those of both numbers: each is a
// positive number below the order of its curve.
func sameForm(a spec.Algorithm, draft, real []byte) bool {
	bits := map[spec.Algorithm]int{spec.ECDSAP256: 256, spec.ECDSAP384: 384, spec.ECDSAP521: 521}[a]
	if bits == 0 {
		return len(draft) == len(real)
	}
	var numbers struct{ R, S *big.Int }
	rest, err := asn1.Unmarshal(draft, &numbers)
	return err == nil && len(rest) == 0 && numbers.R.Sign() > 0 && numbers.S.Sign() > 0 &&
		numbers.R.BitLen() <= bits && numbers.R.BitLen() > bits-16 && numbers.S.BitLen() <= bits && numbers.S.BitLen() > bits-16
}

func TestDraftRefuses(t *testing.T) {
	if der, err := Draft(plain(t).build(t), "md5"); err == nil {
		t.Errorf("Draft = %x", der)
	}
}

// TestVerifyRefuses keeps a key of one algorithm from vouching for another.
func TestVerifyRefuses(t *testing.T) {
	message := []byte("what is signed")
	for _, a := range spec.Algorithms() {
		k := keyOf(t, a, 0)
		signature := must[[]byte](t)(Sign(k.private, a, message))
		for _, other := range spec.Algorithms() {
			if err := Verify(other, k.spki, message, signature); (err == nil) != (other == a) {
				t.Errorf("a signature of %s as %s: %v", a, other, err)
			}
		}
		for name, err := range map[string]error{
			"other message": Verify(a, k.spki, message[1:], signature),
			"other key":     Verify(a, keyOf(t, a, 1).spki, message, signature),
			"no signature":  Verify(a, k.spki, message, nil),
		} {
			if !errors.Is(err, ErrSignature) {
				t.Errorf("%s, %s: Verify = %v, want ErrSignature", a, name, err)
			}
		}
	}
	if err := Verify(spec.Ed25519, []byte("no key"), message, nil); err == nil {
		t.Error("no key verified")
	}
}

// change is one field of a wish changed, and what Differences must say.
type change struct {
	apply func(*wish)
	want  []string
}

func certificateChanges(t *testing.T) map[string]change {
	ext := func(oid string) string { return "extension " + oid }
	return map[string]change{
		"nothing":      {func(*wish) {}, nil},
		"serial":       {func(w *wish) { w.serial = []byte{0x4d, 0x02} }, []string{"serialNumber"}},
		"issuer":       {func(w *wish) { w.issuer = w.subject }, []string{"issuer"}},
		"subject":      {func(w *wish) { w.subject = w.issuer }, []string{"subject"}},
		"not before":   {func(w *wish) { w.from = w.from.Add(time.Second) }, []string{"validity"}},
		"not after":    {func(w *wish) { w.to = w.to.Add(time.Second) }, []string{"validity"}},
		"key":          {func(w *wish) { w.key = keyOf(t, spec.ECDSAP256, 1) }, []string{FieldPublicKey, FieldSubjectKeyID}},
		"issuer's key": {func(w *wish) { w.issuerKey = keyOf(t, spec.ECDSAP384, 2) }, []string{FieldAuthorityKeyID}},
		"algorithm":    {func(w *wish) { w.issuerKey.algorithm = spec.ECDSAP521 }, []string{"signature"}},
		"path length":  {func(w *wish) { w.pathLen = 0 }, []string{ext(oidBasicConstraints)}},
		"usages":       {func(w *wish) { w.usages = []spec.ExtKeyUsage{"client_auth"} }, []string{ext(oidExtKeyUsage)}},
		"AIA":          {func(w *wish) { w.aia = []string{"http://pki.example/other.cer"} }, []string{ext(oidAIA)}},
		"CDP":          {func(w *wish) { w.cdp = []string{"http://pki.example/other.crl"} }, []string{ext(oidCDP)}},
		"names":        {func(w *wish) { w.constraints = &spec.NameConstraints{ExcludedDNS: []string{"example"}} }, []string{ext(oidNameConstraints)}},
		"criticality": {func(w *wish) {
			w.constraints = &spec.NameConstraints{Critical: true, PermittedDNS: []string{"example"}}
		}, []string{ext(oidNameConstraints)}},
		"fewer": {func(w *wish) { w.aia = nil }, []string{ext(oidAIA), fieldOrder}},
	}
}

func TestDifferencesOfCertificates(t *testing.T) {
	base := plain(t).build(t)
	for name, c := range certificateChanges(t) {
		w := plain(t)
		c.apply(&w)
		changed := w.build(t)
		for direction, pair := range map[string][2][]byte{"forth": {base, changed}, "back": {changed, base}} {
			have, err := Differences(pair[0], pair[1])
			slices.Sort(have)
			if want := slices.Sorted(slices.Values(c.want)); err != nil || !slices.Equal(have, want) {
				t.Errorf("%s, %s: Differences = %q, %v; want %q", name, direction, have, err, want)
			}
		}
	}
	swapped := plain(t).template(t)
	swapped.Extensions[0], swapped.Extensions[1] = swapped.Extensions[1], swapped.Extensions[0]
	have, err := Differences(base, must[[]byte](t)(swapped.Build(plain(t).keys())))
	if err != nil || !slices.Equal(have, []string{fieldOrder}) {
		t.Errorf("swapped extensions: %q, %v", have, err)
	}
}

func TestDifferencesOfCRLs(t *testing.T) {
	base := plainList(t)
	build := func(l list) []byte { return must[[]byte](t)(l.template(t).Build(Keys{IssuerID: l.key.id})) }
	for name, c := range map[string]struct {
		apply func(*list)
		want  []string
	}{
		"nothing":     {func(*list) {}, nil},
		"issuer":      {func(l *list) { l.issuer = nil }, []string{"issuer"}},
		"this update": {func(l *list) { l.from = l.from.Add(time.Second) }, []string{"thisUpdate"}},
		"next update": {func(l *list) { l.to = l.to.Add(time.Second) }, []string{"nextUpdate"}},
		"entry":       {func(l *list) { l.entries = []Entry{{Serial: "4d03", Date: l.from}} }, []string{"revokedCertificates"}},
		"no entry":    {func(l *list) { l.entries = nil }, []string{"revokedCertificates"}},
		"number":      {func(l *list) { l.number = big.NewInt(8) }, []string{"extension 2.5.29.20"}},
		"scope":       {func(l *list) { l.onlyCAs = false }, []string{"extension 2.5.29.28"}},
		"algorithm":   {func(l *list) { l.key.algorithm = spec.RSA3072 }, []string{"signature"}},
	} {
		l := base
		c.apply(&l)
		for _, pair := range [][2]list{{base, l}, {l, base}} {
			if have, err := Differences(build(pair[0]), build(pair[1])); err != nil || !slices.Equal(have, c.want) {
				t.Errorf("%s: Differences = %q, %v; want %q", name, have, err, c.want)
			}
		}
	}
}

// TestDifferencesRefuses keeps bytes from hiding where no field is: behind
// the last one, under a second extension of a name, or under another tag.
func TestDifferencesRefuses(t *testing.T) {
	good := plain(t).build(t)
	twice := plain(t).template(t)
	twice.Extensions = append(twice.Extensions, twice.Extensions[0])
	for name, der := range map[string][]byte{
		"nothing":         nil,
		"bytes behind":    append(bytes.Clone(good), 0),
		"cut":             good[:len(good)-1],
		"a set":           append([]byte{0x31}, good[1:]...),
		"twice":           must[[]byte](t)(twice.Build(plain(t).keys())),
		"unique id":       wrap(good, []byte{0x81, 2, 0, 0}),
		"a field more":    wrap(good, []byte{5, 0}),
		"a whole draft":   must[[]byte](t)(Draft(good, spec.ECDSAP384)),
		"behind the list": bytes.Replace(good, []byte{0xa3}, []byte{0xa2}, 1),
	} {
		if have, err := Differences(good, der); err == nil {
			t.Errorf("%s: Differences = %q", name, have)
		}
		if have, err := Differences(der, good); err == nil {
			t.Errorf("%s first: Differences = %q", name, have)
		}
	}
}

// wrap adds a member to a SEQUENCE.
func wrap(der, member []byte) []byte {
	var outer asn1.RawValue
	if _, err := asn1.Unmarshal(der, &outer); err != nil {
		panic(err)
	}
	outer.Bytes, outer.FullBytes = append(bytes.Clone(outer.Bytes), member...), nil
	longer, err := asn1.Marshal(outer)
	if err != nil {
		panic(err)
	}
	return longer
}

func FuzzDifferences(f *testing.F) {
	good := plain(f).build(f)
	l := plainList(f)
	revocations := must[[]byte](f)(l.template(f).Build(Keys{IssuerID: l.key.id}))
	f.Add(good, good)
	f.Add(good, revocations)
	f.Add(revocations, revocations)
	f.Fuzz(func(t *testing.T, a, b []byte) {
		differ, err := Differences(a, b)
		if err == nil && (len(differ) == 0) != bytes.Equal(a, b) {
			t.Errorf("%x and %x differ in %q", a, b, differ)
		}
	})
}

// FuzzParse feeds whatever a plan can hold to whatever reads it. Bytes that
// come out must read back as fields.
func FuzzParse(f *testing.F) {
	template := plain(f).template(f)
	f.Add(must[[]byte](f)(json.Marshal(template)), plain(f).key.spki, template.Serial)
	f.Add(must[[]byte](f)(json.Marshal(plainList(f).template(f))), keyOf(f, spec.RSA3072, 0).spki, "10.0.0.0/8")
	f.Fuzz(func(t *testing.T, text, der []byte, word string) {
		id, err := KeyID(der)
		if (err == nil) != (len(id) == 20) {
			t.Errorf("KeyID = %x, %v", id, err)
		}
		for _, a := range spec.Algorithms() {
			if Verify(a, der, text, []byte(word)) == nil {
				t.Errorf("%q verifies", word)
			}
		}
		IsPreviewKey(der)
		CRLNumber(word)
		NameConstraints(&spec.NameConstraints{PermittedIP: []string{word}, ExcludedURI: []string{word}})
		EncodeName(spec.Name{{Type: "common_name", Value: word}, {Type: word, Value: word}})
		var c Certificate
		var l CRL
		if json.Unmarshal(text, &c) == nil {
			readable(t)(c.Build(Keys{Subject: der, IssuerID: []byte{1}}))
		}
		if json.Unmarshal(text, &l) == nil {
			readable(t)(l.Build(Keys{IssuerID: []byte{1}}))
		}
	})
}

func readable(t *testing.T) func(built []byte, err error) {
	return func(built []byte, err error) {
		if err != nil {
			return
		}
		if differ, err := Differences(built, built); len(differ) > 0 || err != nil && errors.Is(err, errNotTBS) {
			t.Errorf("%x was built and reads as %q, %v", built, differ, err)
		}
	}
}
