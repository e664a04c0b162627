//go:build cgo

package pkcs11

import (
	"crypto"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pki.internal/hsm"
	"pki.internal/spec"
)

// TestTrialOnSmallTokens makes throw-away keys on tokens that make none for a
// session alone, as TPMs and smart cards do, and on tokens that keep a part of an
// id.
func TestTrialOnSmallTokens(t *testing.T) {
	o := newToken(t, "small")
	for order, want := range map[string]manner{
		"trace /dev/null": {false, 16}, "nosession": {true, 16}, "id 2": {false, 2}, "idmax 2": {false, 2}, "id 7": {false, 7}, "nosession\nidmax 2": {true, 2},
	} {
		s := openToken(t, faulty(t, o, order))
		made, how, err := s.trial(t.Context(), spec.ECDSAP256, nil)
		if err != nil || how != want {
			t.Errorf("%s: %+v, want %+v (%v)", order, how, want, err)
			continue
		}
		remove(t, s, made.handle)
		if made, _, err = s.trial(t.Context(), spec.Ed25519, &how); err != nil {
			t.Errorf("%s, the second key: %v", order, err)
			continue
		}
		remove(t, s, made.handle)
	}
	left, err := Inspect(t.Context(), o, true, []byte(userPIN))
	if err != nil || len(left.Objects) != 0 {
		t.Errorf("the trials left %v (%v)", left.Objects, err)
	}
}

// TestTestOfASmallToken sees what a token can do that is small in both ways, and
// tells of a key that an interrupted test left.
func TestTestOfASmallToken(t *testing.T) {
	if testing.Short() {
		t.Skip("makes RSA keys, which takes seconds")
	}
	o := newToken(t, "small")
	plant(t, openToken(t, o), spec.ECDSAP256, []byte{1, 2, 3}, testLabel)
	c, err := Test(t.Context(), faulty(t, o, "nosession\nidmax 2"), []byte(userPIN))
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range spec.KeyTypes() {
		if why, works := c.Can(a); works == a.PostQuantum() {
			t.Errorf("%s: %t, %s", a, works, why)
		}
	}
	if c.Token.IDBytes != 2 || len(c.Confinement) < 3 {
		t.Errorf("id_bytes = %d, attempts = %v", c.Token.IDBytes, c.Confinement)
	}
	text := strings.Join(c.Observations, "\n")
	if strings.Count(text, "is left of a test and may be removed") != 2 || !strings.Contains(text, "no keys that live in a session alone") || !strings.Contains(text, "keeps 2 bytes of a key's id") {
		t.Errorf("observations = %q", c.Observations)
	}
}

// TestTokenThatShortensIDs makes a key with an id that the token keeps a part
// of: it is not used, is named, and a second one is not made.
func TestTokenThatShortensIDs(t *testing.T) {
	o := newToken(t, "ids")
	k := keySpec(spec.ECDSAP256, "root")
	short := faulty(t, o, "id 2")
	for range 2 { // the second time is --resume
		made, _, err := openToken(t, short).Generate(t.Context(), k)
		if !errors.Is(err, hsm.ErrUnsupported) || made != nil || !strings.Contains(err.Error(), fmt.Sprintf("the token keeps 2 bytes of a key's id, %x of %x", k.ID[:2], k.ID)) ||
			!strings.Contains(err.Error(), fmt.Sprintf("pkcs11-tool --delete-object --id %x,", k.ID[:2])) {
			t.Errorf("Generate = %v", err)
		}
	}
	if n := count(t, o, ckoPrivate, k.ID[:2]); n != 1 {
		t.Errorf("%d keys were made", n)
	}
	k = hsm.KeySpec{ID: []byte{0xAB, 0xCD}, Label: "issuing", Algorithm: spec.ECDSAP256}
	made, _, err := openToken(t, short).Generate(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := openToken(t, short).Find(t.Context(), k, spki(t, made)); err != nil {
		t.Error(err)
	}
}

// TestPINPad opens a token on which a person enters the PIN: the module is given
// none, for the login and for a key that wants it again.
func TestPINPad(t *testing.T) {
	o := newToken(t, "pad")
	k := keySpec(spec.ECDSAP256, "locked")
	plantLocked(t, openToken(t, o), k)
	padded := faulty(t, o, "pad "+userPIN)
	padded.PINPad = true
	s, err := Open(t.Context(), padded, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if !s.Token().State.PINPad {
		t.Error("the token does not show its pad")
	}
	if _, _, err := s.Generate(t.Context(), keySpec(spec.ECDSAP384, "root")); err != nil {
		t.Error(err)
	}
	found, err := s.Find(t.Context(), k, nil)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte("message"))
	if _, err := found.Sign(t.Context(), digest[:], crypto.SHA256); err != nil {
		t.Error(err)
	}
	// Whoever pressed the wrong keys is told, and is not asked again by itself.
	wrong := faulty(t, o, "pad 999999")
	wrong.PINPad = true
	if s, err := Open(t.Context(), wrong, nil); !errors.Is(err, hsm.ErrWrongPIN) || s != nil {
		t.Errorf("a wrong PIN on the pad: %v", err)
	}
	// A PIN that is given to a token with a pad is the module's to judge.
	given := faulty(t, o, "pad "+userPIN)
	if s, err := Open(t.Context(), given, []byte(userPIN)); err == nil || s != nil || !strings.Contains(err.Error(), "pin_pad = true") {
		t.Errorf("a PIN beside the pad: %v", err)
	}
}

// TestTriesLeft says after a wrong PIN what the token shows of its tries.
func TestTriesLeft(t *testing.T) {
	o := newToken(t, "tries")
	for order, want := range map[string]string{
		"flags 0":       "the token does not say how many tries are left",
		"flags 0x20000": "the token has one try left before it locks",
	} {
		wrong := faulty(t, o, order)
		wrong.LastTry = true
		if _, err := Open(t.Context(), wrong, []byte("user-pin-2")); !errors.Is(err, hsm.ErrWrongPIN) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", order, err, want)
		}
	}
	if _, err := Open(t.Context(), faulty(t, o, "flags 0x40000"), []byte(userPIN)); !errors.Is(err, hsm.ErrPINLocked) {
		t.Errorf("locked: %v", err)
	}
	if _, err := Open(t.Context(), faulty(t, o, "flags 0x20000"), []byte(userPIN)); !errors.Is(err, hsm.ErrPINLocked) || !strings.Contains(err.Error(), "--last-pin-try") {
		t.Errorf("one try left: %v", err)
	}
}

// TestClean keeps what a token calls itself from moving a terminal's cursor, and
// a token so called can be chosen all the same.
func TestClean(t *testing.T) {
	for have, want := range map[string]string{
		"root  \x00\x00": "root", "Wurzel-é": "Wurzel-é", "a\x1b[2Jb": `a\x1b[2Jb`, "a\xffb": `a\xffb`, "a\nb": `a\nb`, "\u202eb": `\u202eb`, `a"b`: `a"b`,
	} {
		if got := clean(have); got != want || clean(got) != got {
			t.Errorf("%q: %q, want %q; again %q", have, got, want, clean(got))
		}
		if !(Selector{Label: have}).matches(Token{Label: clean(have)}) {
			t.Errorf("%q does not choose the token %q", have, clean(have))
		}
	}
}

// TestWarnings puts a token's flags into words, and says nothing of the officer
// of an empty token, which shows them as it likes.
func TestWarnings(t *testing.T) {
	for flags, want := range map[uint]string{
		0x408: "", 0x10408: "user PIN was wrong before", 0x20408: "user PIN has one try left", 0x60408: "user PIN is locked", 0x80408: "user PIN is to be changed",
		0x800408: "security officer's PIN is to be changed", 0x400408: "security officer's PIN is locked", 0xC00000: "",
	} {
		if got := strings.Join(stateOf(flags).Warnings(), "; "); got != want {
			t.Errorf("flags %#x: %q, want %q", flags, got, want)
		}
	}
}
