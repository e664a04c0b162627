package pkcs11

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"pki.internal/hsm"
)

// Library is the module as it was loaded.
type Library struct {
	Path         string `json:"path"`
	SHA256       string `json:"sha256"`
	Description  string `json:"description"`
	Manufacturer string `json:"manufacturer"`
	Version      string `json:"version"`
	Cryptoki     string `json:"cryptoki"`
}

// Token is a token in a slot. Its identity is its label, serial, manufacturer
// and model; slots are renumbered by modules as they like.
type Token struct {
	Slot         uint   `json:"-"` // of this process alone
	Label        string `json:"label"`
	Serial       string `json:"serial"`
	Manufacturer string `json:"manufacturer"`
	Model        string `json:"model"`
	Hardware     string `json:"hardware_version"`
	Firmware     string `json:"firmware_version"`
	Reader       string `json:"reader"` // the slot's description
	MinPIN       uint   `json:"min_pin"`
	MaxPIN       uint   `json:"max_pin"`
	State        State  `json:"state"`
}

// State is what a token says about its PINs. A flag that is absent proves
// nothing: half of the modules never set them.
type State struct {
	Initialized    bool `json:"initialized"`
	UserPINSet     bool `json:"user_pin_set"`
	PINPad         bool `json:"pin_pad"`
	WriteProtected bool `json:"write_protected"`
	PINCountLow    bool `json:"pin_count_low"`
	PINFinalTry    bool `json:"pin_final_try"`
	PINLocked      bool `json:"pin_locked"`
	SOCountLow     bool `json:"so_pin_count_low"`
	SOFinalTry     bool `json:"so_pin_final_try"`
	SOLocked       bool `json:"so_pin_locked"`
	PINChange      bool `json:"pin_to_be_changed"` // it is the one that the maker or the officer gave
	SOChange       bool `json:"so_pin_to_be_changed"`
}

// Token flags (PKCS#11 2.40 §3.2).
func stateOf(flags uint) State {
	has := func(bit uint) bool { return flags&bit != 0 }
	return State{
		Initialized: has(0x400), UserPINSet: has(0x8), PINPad: has(0x100), WriteProtected: has(0x2),
		PINCountLow: has(0x10000), PINFinalTry: has(0x20000), PINLocked: has(0x40000),
		SOCountLow: has(0x100000), SOFinalTry: has(0x200000), SOLocked: has(0x400000),
		PINChange: has(0x80000), SOChange: has(0x800000),
	}
}

// Warnings says in words what is wrong with a token's PINs.
func (s State) Warnings() []string {
	var w []string
	say := func(so bool, locked, final, low bool, who string) {
		if so && !s.Initialized {
			return // an empty token may show the officer's flags as it likes
		}
		switch {
		case locked:
			w = append(w, who+" PIN is locked")
		case final:
			w = append(w, who+" PIN has one try left")
		case low:
			w = append(w, who+" PIN was wrong before")
		}
	}
	say(false, s.PINLocked, s.PINFinalTry, s.PINCountLow, "user")
	say(true, s.SOLocked, s.SOFinalTry, s.SOCountLow, "security officer's")
	if s.PINChange && s.Initialized {
		w = append(w, "user PIN is to be changed")
	}
	if s.SOChange && s.Initialized {
		w = append(w, "security officer's PIN is to be changed")
	}
	return w
}

// String names a token so that nobody takes it for another.
func (t Token) String() string {
	return fmt.Sprintf("%q, serial %q, %s %s", t.Label, t.Serial, t.Manufacturer, t.Model)
}

// Selector says which token is meant. Empty fields match everything.
type Selector struct {
	Label, Serial, Manufacturer, Model string
}

func (s Selector) matches(t Token) bool {
	same := func(want, have string) bool { return want == "" || clean(want) == clean(have) }
	return same(s.Label, t.Label) && same(s.Serial, t.Serial) && same(s.Manufacturer, t.Manufacturer) && same(s.Model, t.Model)
}

// String gives what the selector asks for.
func (s Selector) String() string {
	var parts []string
	for _, p := range []struct{ word, value string }{
		{"label", s.Label}, {"serial", s.Serial}, {"manufacturer", s.Manufacturer}, {"model", s.Model},
	} {
		if p.value != "" {
			parts = append(parts, fmt.Sprintf("%s %q", p.word, p.value))
		}
	}
	return strings.Join(parts, ", ")
}

// clean cuts what modules pad fields with: spaces, and with some also NULs. What
// no screen should be sent is written as Go would.
func clean(s string) string {
	s = strings.Trim(s, " \x00")
	if utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return s
	}
	quoted := strconv.Quote(s)
	return quoted[1 : len(quoted)-1]
}

// choose gives the one initialised token that is meant.
func (s Selector) choose(tokens []Token) (Token, error) {
	if s.Label == "" && s.Serial == "" {
		return Token{}, refuse(hsm.ErrAmbiguous, "name the token by its label or serial", "no token is named")
	}
	var there, found []Token
	for _, t := range tokens {
		if !t.State.Initialized {
			continue
		}
		there = append(there, t)
		if s.matches(t) {
			found = append(found, t)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return Token{}, refuse(hsm.ErrAmbiguous, "name one of them by its serial, manufacturer or model: "+list(found),
			"%d tokens have %s", len(found), s)
	case len(there) == 0:
		return Token{}, refuse(hsm.ErrTokenGone, "plug the token in, or initialise one with pki token init", "no token has %s; there is none at all", s)
	}
	return Token{}, refuse(hsm.ErrTokenGone, "plug the right one in; there is "+list(there), "no token has %s", s)
}

func list(tokens []Token) string {
	names := make([]string, len(tokens))
	for i, t := range tokens {
		names[i] = t.String()
	}
	return strings.Join(names, "; ")
}

// Mechanism is one thing that a token says it can do.
type Mechanism struct {
	Type    uint   `json:"type"`
	Name    string `json:"name"`
	MinSize uint   `json:"min_size,omitempty"`
	MaxSize uint   `json:"max_size,omitempty"`
	Flags   uint   `json:"flags"`
}

// Mechanisms that this package uses. Those of Ed25519 came with PKCS#11 3.0,
// those of ML-DSA with 3.2.
const (
	ckmMLDSAKeyGen = 0x1C
	ckmMLDSA       = 0x1D
	ckmRSAKeyGen   = 0x0
	ckmRSA         = 0x1
	ckmRSAPSS      = 0xD
	ckmECKeyGen    = 0x1040
	ckmECDSA       = 0x1041
	ckmEdKeyGen    = 0x1055
	ckmEdDSA       = 0x1057
	ckmAESKeyGen   = 0x1080
	ckmAESCBCPad   = 0x1085
	ckmAESWrap     = 0x2109
	ckmAESWrapPad  = 0x210A
	ckmAESWrapKWP  = 0x210B
	ckmSHA1        = 0x220
	ckmSHA256      = 0x250
	ckmSHA384      = 0x260
	ckmSHA512      = 0x270
	ckmRSAOAEP     = 0x9
	ckmRSAAESWrap  = 0x1054
	ckmSHA256RSA   = 0x40
	ckmSHA384RSA   = 0x41
	ckmSHA512RSA   = 0x42
	ckmECDSASHA256 = 0x1044
	ckmECDSASHA384 = 0x1045
	ckmECDSASHA512 = 0x1046
)

func mechanismName(m uint) string {
	for _, n := range []namedCode{
		{ckmMLDSAKeyGen, "ML_DSA_KEY_PAIR_GEN"}, {ckmMLDSA, "ML_DSA"}, {ckmRSAKeyGen, "RSA_PKCS_KEY_PAIR_GEN"}, {ckmRSA, "RSA_PKCS"}, {ckmRSAPSS, "RSA_PKCS_PSS"}, {ckmECKeyGen, "EC_KEY_PAIR_GEN"},
		{ckmECDSA, "ECDSA"}, {ckmEdKeyGen, "EC_EDWARDS_KEY_PAIR_GEN"}, {ckmEdDSA, "EDDSA"}, {ckmAESKeyGen, "AES_KEY_GEN"},
		{ckmAESCBCPad, "AES_CBC_PAD"}, {ckmAESWrap, "AES_KEY_WRAP"}, {ckmAESWrapPad, "AES_KEY_WRAP_PAD"}, {ckmAESWrapKWP, "AES_KEY_WRAP_KWP"},
		{ckmSHA256, "SHA256"}, {ckmSHA384, "SHA384"}, {ckmSHA512, "SHA512"}, {ckmRSAOAEP, "RSA_PKCS_OAEP"}, {ckmRSAAESWrap, "RSA_AES_KEY_WRAP"},
		{ckmSHA256RSA, "SHA256_RSA_PKCS"}, {ckmSHA384RSA, "SHA384_RSA_PKCS"}, {ckmSHA512RSA, "SHA512_RSA_PKCS"},
		{ckmECDSASHA256, "ECDSA_SHA256"}, {ckmECDSASHA384, "ECDSA_SHA384"}, {ckmECDSASHA512, "ECDSA_SHA512"},
	} {
		if n.code == m {
			return n.name
		}
	}
	return fmt.Sprintf("0x%04X", m)
}

// Classes of objects.
const (
	ckoData        = 0
	ckoCertificate = 1
	ckoPublic      = 2
	ckoPrivate     = 3
	ckoSecret      = 4
	unreadable     = 1<<32 - 1 // our own: an object that does not give its class
)

func className(class uint) string {
	switch class {
	case ckoData:
		return "data"
	case ckoCertificate:
		return "certificate"
	case ckoPublic:
		return "public key"
	case ckoPrivate:
		return "private key"
	case ckoSecret:
		return "secret key"
	case unreadable:
		return "damaged object"
	}
	return fmt.Sprintf("class 0x%X", class)
}
