package lint

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"pki.internal/plan/tbs"
	"pki.internal/spec"
)

// streamScene is a list of 200 entries that is judged as a stream. A change
// comes behind the entries that every lint sees.
type streamScene struct {
	list    tbs.CRL
	entries []tbs.PackedEntry
	issuer  []byte
	keyID   []byte
}

var streamNow = time.Date(2027, 1, 4, 9, 0, 0, 0, time.UTC)

func newStreamScene(t *testing.T, key crypto.Signer, a spec.Algorithm) *streamScene {
	t.Helper()
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	keyID, err := tbs.KeyID(spki)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(99), Subject: pkix.Name{CommonName: "Streamed CA"}, IsCA: true, BasicConstraintsValid: true, SubjectKeyId: keyID,
		KeyUsage: x509.KeyUsageCRLSign | x509.KeyUsageCertSign, NotBefore: streamNow.AddDate(-1, 0, 0), NotAfter: streamNow.AddDate(1, 0, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	number, err := tbs.CRLNumber("7")
	if err != nil {
		t.Fatal(err)
	}
	s := &streamScene{issuer: der, keyID: keyID, list: tbs.CRL{
		Signature: a, Issuer: c.RawSubject, ThisUpdate: streamNow, NextUpdate: streamNow.AddDate(0, 0, 7),
		Extensions: []tbs.Extension{tbs.OpenAuthorityKeyID(), number},
	}}
	for i := range 200 {
		s.entries = append(s.entries, tbs.PackedEntry{Serial: []byte{1, byte(i)}, Date: streamNow.Unix() - 1000, Reason: 4})
	}
	return s
}

func (s *streamScene) tbs(t *testing.T, change func([]byte) []byte) []byte {
	t.Helper()
	var body []byte
	for _, e := range s.entries {
		var err error
		if body, err = e.Append(body); err != nil {
			t.Fatal(err)
		}
	}
	body = change(body)
	head, tail, err := s.list.Frame(tbs.Keys{IssuerID: s.keyID}, int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	return slices.Concat(head, body, tail)
}

func (s *streamScene) clear(t *testing.T, message []byte, p Policy) (Cleared, []Finding, error) {
	t.Helper()
	l, err := New("private")
	if err != nil {
		t.Fatal(err)
	}
	return l.ClearCRLStream(CRLStream{TBS: bytes.NewReader(message), Issuer: s.issuer}, "the CRL", p, streamNow)
}

func p256(t *testing.T) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func same(b []byte) []byte { return b }

func TestStreamIsClearedByItsDigest(t *testing.T) {
	s := newStreamScene(t, p256(t), spec.ECDSAP256)
	message := s.tbs(t, same)
	cleared, findings, err := s.clear(t, message, Policy{})
	if err != nil {
		t.Fatalf("%v\n%v", err, findings)
	}
	digest, hash := cleared.Digest()
	if want := sha256.Sum256(message); !bytes.Equal(digest, want[:]) || hash != crypto.SHA256 || cleared.Kind() != ObjectCRL || cleared.TBS() != nil {
		t.Errorf("cleared are %x by %v, kind %s, %d octets", digest, hash, cleared.Kind(), len(cleared.TBS()))
	}
	digest[0] ^= 1
	if again, _ := cleared.Digest(); bytes.Equal(digest, again) {
		t.Error("the proof can be changed from outside")
	}
	if d, h := (Cleared{}).Digest(); d != nil || h != 0 {
		t.Error("the zero value has a digest")
	}
	if _, _, err := s.clear(t, append(message, 0), Policy{}); err == nil {
		t.Error("octets behind the list were cleared")
	}
}

// TestStreamOfEd25519 has no digest: the algorithm signs the message itself.
func TestStreamOfEd25519(t *testing.T) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s := newStreamScene(t, key, spec.Ed25519)
	message := s.tbs(t, same)
	cleared, _, err := s.clear(t, message, Policy{})
	if err != nil {
		t.Fatal(err)
	}
	if digest, _ := cleared.Digest(); digest != nil || !bytes.Equal(cleared.TBS(), message) {
		t.Errorf("cleared are %d octets and the digest %x", len(cleared.TBS()), digest)
	}
}

func TestStreamRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*streamScene)
		raw    func([]byte) []byte
		lint   string
	}{
		"revoked in the future":  {func(s *streamScene) { s.entries[150].Date = streamNow.Unix() + 1 }, same, "e_crlx_revoked_in_future"},
		"out of order":           {func(s *streamScene) { s.entries[150].Serial = []byte{9, 9} }, same, "e_crlx_entry_doubled"},
		"doubled":                {func(s *streamScene) { s.entries[150].Serial = s.entries[149].Serial }, same, "e_crlx_entry_doubled"},
		"reason unspecified":     {nil, func(b []byte) []byte { b[150*(len(b)/200)+len(b)/200-1] = 0; return b }, "e_crlx_entry_malformed"},
		"removeFromCRL":          {nil, func(b []byte) []byte { b[len(b)-1] = 8; return b }, "e_crlx_entry_malformed"},
		"outlives its issuer":    {func(s *streamScene) { s.list.NextUpdate = streamNow.AddDate(2, 0, 0) }, same, "e_crlx_next_update_after_issuer_expiry"},
		"another key":            {func(s *streamScene) { s.keyID = []byte{1} }, same, "e_crlx_aki_not_issuer_ski"},
		"a window that is empty": {func(s *streamScene) { s.list.NextUpdate = s.list.ThisUpdate }, same, "e_crlx_window_not_positive"},
		"a CA on hold": {func(s *streamScene) {
			idp, err := tbs.IssuingDistributionPoint(nil, true)
			if err != nil {
				t.Fatal(err)
			}
			s.list.Extensions = append(s.list.Extensions, idp)
			s.entries[150].Reason = 6
		}, same, "e_crlx_hold_on_ca"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStreamScene(t, p256(t), spec.ECDSAP256)
			if c.change != nil {
				c.change(s)
			}
			cleared, findings, err := s.clear(t, s.tbs(t, c.raw), Policy{})
			var refused *Refused
			if !errors.As(err, &refused) || cleared.Kind() != "" {
				t.Fatalf("%v, kind %q", err, cleared.Kind())
			}
			if !slices.ContainsFunc(findings, func(f Finding) bool { return f.Lint == c.lint && f.Severity >= Error && f.Advice != "" }) {
				t.Errorf("findings are %v, want %s", findings, c.lint)
			}
		})
	}
}

func TestStreamNeedsItsIssuer(t *testing.T) {
	s := newStreamScene(t, p256(t), spec.ECDSAP256)
	message := s.tbs(t, same)
	s.issuer = nil
	if _, _, err := s.clear(t, message, Policy{}); err == nil || !strings.Contains(err.Error(), "issuer") {
		t.Errorf("%v", err)
	}
}
