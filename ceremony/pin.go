package ceremony

import (
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"

	"pki.internal/plan"
	"pki.internal/spec"
)

// User says whose PIN of a token it is.
type User string

// The two users of a token.
const (
	NormalUser      User = "user"
	SecurityOfficer User = "so"
)

// PIN makes a token's PIN of a shared secret, so that whoever learns the PIN of
// one token has neither the secret nor the PIN of another. docs/custody.md
// tells how to make it without this program:
//
//	bytes = HKDF-SHA-256(secret, no salt, "pki pin v1|" estate "|" store "|" label "|" user, 8·length)
//
// Bytes are taken in order. With n letters in the alphabet, a byte of 256 less
// 256 mod n or more is left out, and any other gives letter number byte mod n.
// A zero form gives the secret itself. The caller wipes the result.
func PIN(secret []byte, form spec.PINForm, estate string, store spec.Address, label string, user User) ([]byte, error) {
	if form == (spec.PINForm{}) {
		return append([]byte(nil), secret...), nil
	}
	letters := form.Letters()
	if letters == "" {
		return nil, fmt.Errorf("%q is not the form of a PIN", form)
	}
	stream, err := hkdf.Key(sha256.New, secret, nil, fmt.Sprintf("pki pin v1|%s|%s|%s|%s", estate, store, label, user), 8*form.Length)
	if err != nil {
		return nil, err
	}
	defer clear(stream)
	pin := make([]byte, 0, form.Length)
	for _, b := range stream {
		if int(b) < 256-256%len(letters) && len(pin) < form.Length {
			pin = append(pin, letters[int(b)%len(letters)])
		}
	}
	if len(pin) < form.Length { // one secret in 2^1000 at most
		clear(pin)
		return nil, errors.New("no PIN can be made of this secret")
	}
	return pin, nil
}

// RecordedPIN gives the PIN of a key store's token from its secret: in the
// form that the ledger recorded when a ceremony made the token ready, or the
// secret itself. The caller wipes it.
func RecordedPIN(s plan.State, k *spec.KeyStore, secret []byte) ([]byte, error) {
	ready, _ := s.Token(k.Address)
	form, err := spec.ParsePINForm(ready.Token.PINForm)
	if err != nil {
		return nil, err
	}
	return PIN(secret, form, s.Estate, k.Address, ready.Token.Label, NormalUser)
}

// newPINs makes the two PINs of a token that a plan makes ready.
func (c *ceremony) newPINs(store spec.Address, planned *plan.TokenAction) (officer, pin []byte, err error) {
	for _, want := range []struct {
		user   User
		form   string
		secret spec.Address
		to     *[]byte
	}{{SecurityOfficer, planned.OfficerPINForm, planned.OfficerPIN, &officer}, {NormalUser, planned.PINForm, planned.PIN, &pin}} {
		form, err := spec.ParsePINForm(want.form)
		if err != nil {
			return nil, nil, err
		}
		if *want.to, err = PIN(c.secrets[want.secret], form, c.plan.Estate.Name, store, planned.Label, want.user); err != nil {
			return nil, nil, err
		}
	}
	return officer, pin, nil
}
