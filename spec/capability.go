package spec

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// CapabilitiesFormat names the version of a capability file's form.
const CapabilitiesFormat = "pki-token/1"

// Capabilities is what a token was seen to do: pki token test writes it, and
// plans are held against it, so that an algorithm that the token cannot do is
// found before anyone stands in the room.
type Capabilities struct {
	Format       string                `json:"format"`
	Module       CapabilityModule      `json:"module"`
	Token        CapabilityToken       `json:"token"`
	Algorithms   []Capability          `json:"algorithms"`
	Confinement  []CapabilityRefusal   `json:"confinement"` // attempts to get a throw-away key out
	Mechanisms   []CapabilityMechanism `json:"mechanisms"`
	Observations []string              `json:"observations,omitempty"`
}

// CapabilityModule is the vendor's code.
type CapabilityModule struct {
	Path    string `json:"path"`
	SHA256  string `json:"sha256"`
	Library string `json:"library"`
	Version string `json:"version"`
}

// CapabilityToken is the token that was tested.
type CapabilityToken struct {
	Label        string `json:"label"`
	Serial       string `json:"serial"`
	Manufacturer string `json:"manufacturer"`
	Model        string `json:"model"`
	Hardware     string `json:"hardware_version"`
	Firmware     string `json:"firmware_version"`
	MinPIN       uint   `json:"min_pin"`
	MaxPIN       uint   `json:"max_pin"`
	IDBytes      uint   `json:"id_bytes,omitempty"` // how much of a key's id the token keeps; 0 is all of it
}

// Capability is one algorithm: whether a key was made and a signature of it
// verified.
type Capability struct {
	Algorithm Algorithm `json:"algorithm"`
	Works     bool      `json:"works"`
	Why       string    `json:"why,omitempty"` // when it does not work

	// Copies says how a key went out of the token wrapped, and in again; NoCopies
	// why there was no way. Both are empty when it was not tried.
	Copies   string `json:"copies,omitempty"`
	NoCopies string `json:"no_copies,omitempty"`
}

// CapabilityRefusal is one attempt to get a key out that should have been
// refused.
type CapabilityRefusal struct {
	Attempt string `json:"attempt"`
	Outcome string `json:"outcome"` // AttemptRefused, AttemptImpossible or AttemptSucceeded
	Answer  string `json:"answer"`  // the token's own word
}

// What became of an attempt to get a key out. Only a refusal proves anything.
const (
	AttemptRefused    = "refused"
	AttemptImpossible = "not possible" // the token lacks what the attempt needs
	AttemptSucceeded  = "THE KEY CAME OUT"
)

// CapabilityMechanism is one mechanism that the token lists.
type CapabilityMechanism struct {
	Name    string `json:"name"`
	MinSize uint   `json:"min_size,omitempty"`
	MaxSize uint   `json:"max_size,omitempty"`
}

// ParseCapabilities reads a capability file.
func ParseCapabilities(text []byte) (*Capabilities, error) {
	c := &Capabilities{}
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.DisallowUnknownFields()
	if err := d.Decode(c); err != nil {
		return nil, fmt.Errorf("not a capability file: %w", err)
	}
	if c.Format != CapabilitiesFormat {
		return nil, fmt.Errorf("its format is %q, and this version reads %q", c.Format, CapabilitiesFormat)
	}
	return c, nil
}

// Can reports whether an algorithm was seen to work, and why not.
func (c *Capabilities) Can(a Algorithm) (why string, works bool) {
	if pss := "RSA_PKCS_PSS"; a != a.KeyType() && !slices.ContainsFunc(c.Mechanisms, func(m CapabilityMechanism) bool { return m.Name == pss }) {
		return "the token lists no mechanism " + pss, false
	}
	a = a.KeyType()
	for _, have := range c.Algorithms {
		switch {
		case have.Algorithm != a:
		case have.Works || have.Why != "":
			return have.Why, have.Works
		default:
			return "it did not work in the test", false
		}
	}
	return "it was not tested", false
}

// IDBytes says how many bytes of a key's id the token of a key store was seen to
// keep; 0 is all of it, or that nobody knows.
func (k *KeyStore) IDBytes() uint {
	if k.Token == nil || k.Token.Capabilities == nil {
		return 0
	}
	return k.Token.Capabilities.Token.IDBytes
}

// CanCopy reports whether keys of an algorithm were seen to go out of the token
// wrapped and in again, and why not. What was not tried is not refused.
func (c *Capabilities) CanCopy(a Algorithm) (why string, works bool) {
	for _, have := range c.Algorithms {
		if have.Algorithm == a.KeyType() && have.NoCopies != "" {
			return have.NoCopies, false
		}
	}
	return "", true
}

// Working lists the algorithms that were seen to work.
func (c *Capabilities) Working() []string {
	var names []string
	for _, have := range c.Algorithms {
		if have.Works {
			names = append(names, fmt.Sprintf("%q", have.Algorithm))
		}
	}
	return names
}
