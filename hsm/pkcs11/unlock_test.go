//go:build cgo

package pkcs11

import (
	"crypto"
	"crypto/sha256"
	"errors"
	"strings"
	"testing"

	"pki.internal/hsm"
	"pki.internal/spec"
)

// plantLocked makes a key that wants the PIN for each signature.
func plantLocked(t *testing.T, s *Store, k hsm.KeySpec) {
	t.Helper()
	p, _ := keyPlanOf(k.Algorithm)
	public, private := p.templates(k.ID, k.Label, true, false)
	private[0] = append(private[0], attribute{ckaAlways, []byte{1}})
	if _, err := s.client.call(t.Context(), request{Op: "generate", Mechanism: p.generate, Public: public[:1], Private: private[:1]}, nil); err != nil {
		t.Fatal(err)
	}
}

// TestAlwaysAuthenticate signs with a key that wants the PIN for each signature,
// as the signature keys of smart cards do.
func TestAlwaysAuthenticate(t *testing.T) {
	o := newToken(t, "locked")
	k := keySpec(spec.ECDSAP256, "locked")
	before := openToken(t, o)
	plantLocked(t, before, k)
	// The PIN is kept only where such a key was seen at login, so a session from
	// before has none to give.
	if _, err := before.Find(t.Context(), k, nil); err == nil || errors.Is(err, hsm.ErrMaybeSigned) || !strings.Contains(err.Error(), "the key wants the PIN for each signature") {
		t.Errorf("without the PIN: %v", err)
	}
	found, err := openToken(t, o).Find(t.Context(), k, nil)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte("message"))
	for range 2 {
		if _, err := found.Sign(t.Context(), digest[:], crypto.SHA256); err != nil {
			t.Fatal(err)
		}
	}
}

// TestPINIsKeptOnlyWhereItIsWanted looks for the PIN in the helper's memory.
func TestPINIsKeptOnlyWhereItIsWanted(t *testing.T) {
	o := newToken(t, "kept")
	s := openToken(t, o)
	if n, _ := copies(t, s.client.cmd.Process.Pid, []byte(userPIN)); n != 0 {
		t.Errorf("%d copies of the PIN without a key that wants it again", n)
	}
	plantLocked(t, s, keySpec(spec.ECDSAP256, "locked"))
	again := openToken(t, o)
	if n, _ := copies(t, again.client.cmd.Process.Pid, []byte(userPIN)); n != 1 {
		t.Errorf("%d copies of the PIN, want the one in the locked page", n)
	}
}

// TestShortenedLabel takes a token that shows seven characters of a label: the
// id and the public key say which key it is.
func TestShortenedLabel(t *testing.T) {
	o := newToken(t, "short")
	k := keySpec(spec.ECDSAP256, "issuing-europe.g2")
	made, evidence, err := openToken(t, faulty(t, o, "label 7")).Generate(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	said := false
	for _, e := range evidence {
		said = said || e == hsm.Evidence{Claim: `the token shows the label "issuing-europe.g2" as "issuing"`, Grade: hsm.Observed}
	}
	if !said {
		t.Errorf("the evidence does not tell of the label: %v", evidence)
	}
	if _, err := openToken(t, faulty(t, o, "label 7")).Find(t.Context(), k, spki(t, made)); err != nil {
		t.Error(err)
	}
	if _, err := openToken(t, o).Find(t.Context(), hsm.KeySpec{ID: k.ID, Label: "issuing", Algorithm: k.Algorithm}, spki(t, made)); !errors.Is(err, hsm.ErrMismatch) {
		t.Errorf("a label that is longer than the one given: %v", err)
	}
}
