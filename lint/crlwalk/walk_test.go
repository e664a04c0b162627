package crlwalk

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	mathrand "math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// issuer makes an authority of one algorithm.
func issuer(t testing.TB, key crypto.Signer) (*x509.Certificate, crypto.Signer) {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Walked CA"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCRLSign | x509.KeyUsageCertSign, NotBefore: time.Unix(0, 0), NotAfter: time.Unix(4e9, 0), SubjectKeyId: []byte{1, 2, 3},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c, key
}

func ecKey(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// list signs a list with n entries drawn from seed.
func list(t testing.TB, c *x509.Certificate, key crypto.Signer, n int, seed uint64) []byte {
	t.Helper()
	random := mathrand.New(mathrand.NewPCG(seed, 0))
	template := &x509.RevocationList{Number: big.NewInt(7), ThisUpdate: time.Unix(1.7e9, 0), NextUpdate: time.Unix(1.8e9, 0)}
	for range n {
		serial := make([]byte, 1+random.IntN(20))
		for i := range serial {
			serial[i] = byte(random.Uint32())
		}
		serial[0] = serial[0]&0x7f | 1
		e := x509.RevocationListEntry{
			SerialNumber: new(big.Int).SetBytes(serial), ReasonCode: []int{0, 1, 4, 6, 10}[random.IntN(5)],
			// Some before 2050 and some after: two forms of date.
			RevocationTime: time.Unix(random.Int64N(5e9), 0).UTC(),
		}
		if random.IntN(4) == 0 {
			value, err := asn1.MarshalWithParams(time.Unix(random.Int64N(2e9), 0).UTC(), "generalized")
			if err != nil {
				t.Fatal(err)
			}
			e.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 24}, Value: value}}
		}
		template.RevokedCertificateEntries = append(template.RevokedCertificateEntries, e)
	}
	der, err := x509.CreateRevocationList(rand.Reader, template, c, key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// same holds what the walk says against crypto/x509.
func same(der []byte) error {
	want, err := x509.ParseRevocationList(der)
	if err != nil {
		return err
	}
	i := 0
	l, err := Walk(bytes.NewReader(der), func(e *Entry) error {
		w := want.RevokedCertificateEntries[i]
		i++
		if !bytes.Equal(e.Serial, w.SerialNumber.Bytes()) || e.Date != w.RevocationTime.Unix() || e.Reason != w.ReasonCode {
			return fmt.Errorf("entry %d is %x %d %d, want %x %d %d", i, e.Serial, e.Date, e.Reason, w.SerialNumber, w.RevocationTime.Unix(), w.ReasonCode)
		}
		for _, x := range w.Extensions {
			if x.Id.String() != "2.5.29.24" {
				continue
			}
			var at time.Time
			if _, err := asn1.Unmarshal(x.Value, &at); err != nil || !e.HasInvalidity || at.Unix() != e.Invalidity {
				return fmt.Errorf("entry %d: invalidity is %d, want %v (%v)", i, e.Invalidity, at, err)
			}
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case i != len(want.RevokedCertificateEntries) || l.Entries != i:
		return fmt.Errorf("%d entries, want %d", i, len(want.RevokedCertificateEntries))
	case !bytes.Equal(l.Issuer, want.RawIssuer) || !l.ThisUpdate.Equal(want.ThisUpdate) || !l.NextUpdate.Equal(want.NextUpdate):
		return errors.New("issuer or dates differ")
	case (l.Number() == nil) != (want.Number == nil) || l.Number() != nil && l.Number().Cmp(want.Number) != 0:
		return fmt.Errorf("number is %v, want %v", l.Number(), want.Number)
	case !bytes.Equal(l.AuthorityKeyID(), want.AuthorityKeyId) || !bytes.Equal(l.Signature, want.Signature):
		return errors.New("key identifier or signature differ")
	case l.Size != int64(len(der)):
		return fmt.Errorf("%d octets, want %d", l.Size, len(der))
	}
	return nil
}

func TestWalkReadsWhatGoReads(t *testing.T) {
	c, key := issuer(t, ecKey(t))
	for n, seed := range map[int]uint64{0: 1, 1: 2, 2: 3, 3: 4, 100: 5, 20_000: 6} {
		der := list(t, c, key, n, seed)
		if err := same(der); err != nil {
			t.Errorf("%d entries: %v", n, err)
		}
	}
}

// TestWalkAcrossBuffers feeds a list that is longer than the buffer in pieces
// of every awkward kind.
func TestWalkAcrossBuffers(t *testing.T) {
	c, key := issuer(t, ecKey(t))
	der := list(t, c, key, 20_000, 9)
	if len(der) < 3*bufferSize {
		t.Fatalf("the list has %d octets and fits the buffer", len(der))
	}
	for name, r := range map[string]io.Reader{
		"half": iotest.HalfReader(bytes.NewReader(der)), "one": iotest.OneByteReader(bytes.NewReader(der)), "late end": iotest.DataErrReader(bytes.NewReader(der)),
		"pem": bytes.NewReader(append([]byte("CRL:\n  text before\n"), pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der})...)),
	} {
		d, _, err := DER(r)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		l, err := Walk(d, nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := l.CheckIssuer(c); err != nil || l.Entries != 20_000 {
			t.Errorf("%s: %d entries, %v", name, l.Entries, err)
		}
	}
}

// TestSkim finds the same signed bytes as a walk, and the same signature.
func TestSkim(t *testing.T) {
	c, key := issuer(t, ecKey(t))
	for _, n := range []int{0, 1, 20_000} {
		der := list(t, c, key, n, 9)
		walked, err := Walk(bytes.NewReader(der), nil)
		if err != nil {
			t.Fatal(err)
		}
		skimmed, err := Skim(iotest.HalfReader(bytes.NewReader(der)))
		if err != nil {
			t.Fatal(err)
		}
		want, _ := walked.Digest()
		have, _ := skimmed.Digest()
		if err := skimmed.CheckIssuer(c); err != nil || !bytes.Equal(have, want) || skimmed.Number().Cmp(walked.Number()) != 0 || skimmed.Size != walked.Size {
			t.Errorf("%d entries: %v", n, err)
		}
		for _, cut := range []int{1, len(der) / 2} {
			if _, err := Skim(bytes.NewReader(der[:len(der)-cut])); !errors.Is(err, ErrTruncated) {
				t.Errorf("%d entries, cut by %d: %v", n, cut, err)
			}
		}
	}
}

func TestWalkVerifies(t *testing.T) {
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []crypto.Signer{ecKey(t), edKey} {
		c, key := issuer(t, key)
		der := list(t, c, key, 50, 3)
		l, err := Walk(bytes.NewReader(der), nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.CheckIssuer(c); err != nil {
			t.Errorf("%s: %v", l.AlgorithmName(), err)
		}
		stranger, _ := issuer(t, ecKey(t))
		if err := l.CheckIssuer(stranger); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: a stranger of the same name signed: %v", l.AlgorithmName(), err)
		}
		stranger.RawSubject = []byte{0x30, 0}
		if err := l.CheckIssuer(stranger); err == nil || errors.Is(err, ErrSignature) {
			t.Errorf("another name: %v", err)
		}
	}
}

// TestChangedListsAreFound flips bits and cuts the list at every octet: no
// changed list reads as sound and verifies.
func TestChangedListsAreFound(t *testing.T) {
	c, key := issuer(t, ecKey(t))
	der := list(t, c, key, 8, 11)
	for cut := range len(der) {
		if _, err := Walk(bytes.NewReader(der[:cut]), nil); err == nil {
			t.Fatalf("cut at %d: accepted", cut)
		}
	}
	if _, err := Walk(bytes.NewReader(append(slices.Clone(der), 0)), nil); err == nil {
		t.Error("an octet behind it: accepted")
	}
	for i := range der {
		for bit := range 8 {
			changed := slices.Clone(der)
			changed[i] ^= 1 << bit
			if l, err := Walk(bytes.NewReader(changed), nil); err == nil && l.CheckIssuer(c) == nil {
				t.Fatalf("octet %d, bit %d: accepted", i, bit)
			}
		}
	}
}

func TestFaultsOfEntries(t *testing.T) {
	wrap := func(parts ...[]byte) []byte {
		b := bytes.Join(parts, nil)
		return append([]byte{0x30, byte(len(b))}, b...)
	}
	serial, date := []byte{2, 1, 5}, []byte("\x17\x0d260101000000Z")
	extension := func(id byte, critical bool, value ...byte) []byte {
		b := []byte{6, 3, 0x55, 0x1d, id}
		if critical {
			b = append(b, 1, 1, 0xff)
		}
		return wrap(b, append([]byte{4, byte(len(value))}, value...))
	}
	for name, c := range map[string]struct {
		raw  []byte
		want Faults
	}{
		"sound":                 {wrap(serial, date, wrap(extension(21, false, 10, 1, 4))), 0},
		"zero":                  {wrap([]byte{2, 1, 0}, date), SerialNotPositive},
		"negative":              {wrap([]byte{2, 1, 0x80}, date), SerialNotPositive},
		"21 octets":             {wrap(append([]byte{2, 21, 1}, make([]byte, 20)...), date), SerialTooLong},
		"early GeneralizedTime": {wrap(serial, []byte("\x18\x0f20490101000000Z")), DateForm},
		"late GeneralizedTime":  {wrap(serial, []byte("\x18\x0f20500101000000Z")), 0},
		"reason 0":              {wrap(serial, date, wrap(extension(21, false, 10, 1, 0))), ReasonZero},
		"reason 7":              {wrap(serial, date, wrap(extension(21, false, 10, 1, 7))), ReasonUnknown},
		"reason 8":              {wrap(serial, date, wrap(extension(21, false, 10, 1, 8))), ReasonRemove},
		"critical reason":       {wrap(serial, date, wrap(extension(21, true, 10, 1, 1))), ReasonCritical},
		"reason twice":          {wrap(serial, date, wrap(extension(21, false, 10, 1, 1), extension(21, false, 10, 1, 4))), ExtensionForm},
		"indirect":              {wrap(serial, date, wrap(extension(29, true, 0x30, 0))), Indirect},
		"critical stranger":     {wrap(serial, date, wrap(extension(99, true, 5, 0))), CriticalUnknown},
		"stranger":              {wrap(serial, date, wrap(extension(99, false, 5, 0))), 0},
	} {
		var e Entry
		if !e.parse(c.raw) || e.Faults != c.want {
			t.Errorf("%s: faults are %v, want %v", name, e.Faults.Words(), c.want.Words())
		}
	}
	for _, raw := range []string{"\x30\x00", "\x30\x03\x02\x01\x05", "\x30\x06\x02\x02\x00\x05\x17\x00", "\x30\x12\x02\x01\x05\x17\x0d261301000000Z", "\x30\x12\x02\x01\x05\x17\x0d260230000000Z"} {
		var e Entry
		if e.parse([]byte(raw)) {
			t.Errorf("%q reads as an entry", raw)
		}
	}
	if n := len(Faults(1<<10 - 1).Words()); n != 10 || Faults(1<<10 - 1).Words()[9] == "" {
		t.Errorf("%d faults have words", n)
	}
}

func TestForeignTextIsNoList(t *testing.T) {
	for _, text := range []string{"", "hello", "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n", "-----BEGIN X509 CRL-----\nMA==\n", "-----BEGIN X509 CRL-----\nMA==\n-----END CERTIFICATE-----\n", "\x30\x80\x00\x00"} {
		der, _, err := DER(strings.NewReader(text))
		if err == nil {
			_, err = Walk(der, nil)
		}
		if !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrTruncated) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestDates compares the reading of dates with package time for every day of
// four centuries.
func TestDates(t *testing.T) {
	for day := time.Date(1950, 1, 1, 23, 59, 58, 0, time.UTC); day.Year() < 2350; day = day.AddDate(0, 0, 1) {
		if got, ok := ParseTime(tagGeneralized, []byte(day.Format("20060102150405Z"))); !ok || got != day.Unix() {
			t.Fatalf("%v: %d, %v", day, got, ok)
		}
		if day.Year() < 2050 {
			if got, ok := ParseTime(tagUTCTime, []byte(day.Format("060102150405Z"))); !ok || got != day.Unix() {
				t.Fatalf("%v: %d, %v", day, got, ok)
			}
		}
	}
	for _, year := range []int{0, 1, 4, 1899, 1900, 1901, 2099, 2100, 2101, 9999} {
		for day := time.Date(year, 1, 1, 0, 0, 1, 0, time.UTC); day.Year() == year; day = day.AddDate(0, 0, 1) {
			if got, ok := ParseTime(tagGeneralized, []byte(day.Format("20060102150405Z"))); !ok || got != day.Unix() {
				t.Fatalf("%v: %d, %v", day, got, ok)
			}
		}
	}
	for _, bad := range []string{"20230229000000Z", "20231301000000Z", "20230101240000Z", "20230101006000Z", "20230101000060Z", "2023010100000+Z", "20230101000000z", "20230100000000Z"} {
		if _, ok := ParseTime(tagGeneralized, []byte(bad)); ok {
			t.Errorf("%s is a date", bad)
		}
	}
}

func FuzzWalk(f *testing.F) {
	c, key := issuer(f, ecKey(f))
	for n := range 3 {
		f.Add(list(f, c, key, n, uint64(n)))
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		l, err := Walk(bytes.NewReader(der), nil)
		if err != nil {
			return
		}
		l.AlgorithmName()
		// Go keeps the sign of a serial number and reads no faulty entries.
		if _, goErr := x509.ParseRevocationList(der); goErr == nil && l.Faults == 0 {
			if err := same(der); err != nil {
				t.Error(err)
			}
		}
	})
}
