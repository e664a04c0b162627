package spec

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// PINForm says what a PIN looks like that is made from a shared secret: an
// alphabet and a number of characters. The zero value means that the secret
// is the PIN.
type PINForm struct {
	Alphabet string // "letters", "digits" or "hex"
	Length   int
}

// PINAlphabets lists the alphabets in the order in which help shows them.
func PINAlphabets() []string { return []string{"letters", "digits", "hex"} }

// Letters gives the characters of the form's alphabet, in the order that the
// derivation counts them; empty when it is not known.
func (f PINForm) Letters() string {
	switch f.Alphabet {
	case "letters": // without i, l, o and u, which people mistake
		return "0123456789abcdefghjkmnpqrstvwxyz"
	case "digits":
		return "0123456789"
	case "hex":
		return "0123456789abcdef"
	}
	return ""
}

// String gives the form as plans and ledgers have it, such as "letters:32".
func (f PINForm) String() string {
	if f == (PINForm{}) {
		return ""
	}
	return f.Alphabet + ":" + strconv.Itoa(f.Length)
}

// Bits gives the entropy of a PIN of this form, rounded down.
func (f PINForm) Bits() int {
	return int(float64(f.Length) * math.Log2(float64(max(1, len(f.Letters())))))
}

// ParsePINForm reads what String wrote.
func ParsePINForm(s string) (PINForm, error) {
	if s == "" {
		return PINForm{}, nil
	}
	alphabet, length, _ := strings.Cut(s, ":")
	n, err := strconv.Atoi(length)
	f := PINForm{alphabet, n}
	if err != nil || f.String() != s || f.Letters() == "" || n < minPINLength || n > maxPINLength {
		return PINForm{}, fmt.Errorf("%q is not the form of a PIN", s)
	}
	return f, nil
}

const (
	defaultPINLength = 32 // letters: 160 bits, as much as the secret
	minPINLength     = 4  // below that no token goes
	maxPINLength     = 64 // beyond it nothing is gained
)

// PINForm gives the form of the user's PIN, or of the officer's, that a
// ceremony makes from a shared secret. A capability file bounds a length that
// is not written.
func (k *KeyStore) PINForm(officer bool) PINForm {
	s, f := k.Password, k.Token.UserForm
	if officer {
		s, f = k.Token.OfficerPIN, k.Token.OfficerForm
	}
	if s == nil || s.Custodians == nil {
		return PINForm{}
	}
	if f.Alphabet == "" {
		f.Alphabet = "letters"
	}
	if f.Length == 0 {
		f.Length = defaultPINLength
		if c := k.Token.Capabilities; c != nil && c.Token.MaxPIN > 0 {
			f.Length = min(f.Length, int(min(c.Token.MaxPIN, maxPINLength)))
		}
	}
	return f
}

// IsPIN reports whether a secret is the PIN of tokens and encrypts nothing.
func (e *Estate) IsPIN(s *Secret) bool {
	pin := false
	for _, k := range e.KeyStores {
		if k.Token == nil && k.Password == s {
			return false
		}
		pin = pin || k.Token != nil && (k.Password == s || k.Token.OfficerPIN == s)
	}
	return pin && !slices.ContainsFunc(e.Provisioners, func(p *Provisioner) bool { return p.Password == s })
}

// validatePINForms holds the forms of a token's PINs against what it takes.
func (t *Token) validatePINForms(d *Diagnostics, k *KeyStore) {
	for _, p := range []struct {
		officer bool
		word    string
		secret  *Secret
		written PINForm
	}{{false, "pin", k.Password, t.UserForm}, {true, "so_pin", t.OfficerPIN, t.OfficerForm}} {
		if p.secret == nil || p.secret.Custodians == nil {
			if p.written != (PINForm{}) {
				d.Report(k.Origin, p.word+"_alphabet", "Form of a PIN that is not made here", "Alphabet and length are chosen for a PIN that comes from custodians. Remove %s_alphabet and %s_length.", p.word, p.word)
			}
			continue
		}
		f := k.PINForm(p.officer)
		if !slices.Contains(PINAlphabets(), f.Alphabet) {
			d.Report(k.Origin, p.word+"_alphabet", "Unknown alphabet", "%q is not an alphabet of PINs. Write \"letters\", \"digits\" or \"hex\".", f.Alphabet)
		}
		if bits := f.Bits(); bits > 0 && bits < 64 {
			d.Warn(k.Origin, p.word+"_length", "PIN of few bits", "A PIN of %d %s has %d bits: only the token's lock after wrong tries protects it. Make it longer if the token can.", f.Length, f.Alphabet, bits)
		}
		if f.Length < minPINLength || f.Length > maxPINLength {
			d.Report(k.Origin, p.word+"_length", "Length that no PIN has", "A PIN made here has from %d to %d characters, and not %d. pki token list shows what the token takes.", minPINLength, maxPINLength, f.Length)
		} else if c := t.Capabilities; c != nil && (f.Length < int(c.Token.MinPIN) || c.Token.MaxPIN > 0 && f.Length > int(min(c.Token.MaxPIN, maxPINLength))) {
			d.Report(k.Origin, p.word+"_length", "PIN that the token cannot have", "%s says that the token takes PINs of %d to %d characters, and this one has %d. Change %s_length.",
				t.CapabilitiesFile, c.Token.MinPIN, c.Token.MaxPIN, f.Length, p.word)
		}
	}
}
