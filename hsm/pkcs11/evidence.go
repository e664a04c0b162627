package pkcs11

import (
	"context"
	"fmt"

	"pki.internal/hsm"
	"pki.internal/spec"
)

// canLeave finds an attribute by which a key could leave its token against what
// was asked for: in the clear, or at all. A key of which a backup is to be made
// must be able to leave, encrypted.
func canLeave(private object, leaves bool) (string, bool) {
	extractable, told := private.Flags["extractable"]
	if sensitive, told := private.Flags["sensitive"]; told && !sensitive {
		return "sensitive=false", true
	}
	if leaves {
		return "extractable=false", told && !extractable
	}
	return "extractable=true", extractable
}

// secretsOf lists the attributes that are the private key, by its type.
func secretsOf(keyType uint) []namedCode {
	switch keyType {
	case 0:
		return []namedCode{{ckaSecretExp, "private value"}}
	case ckkMLDSA:
		return []namedCode{{ckaValue, "private value"}, {ckaSeed, "seed"}}
	}
	return []namedCode{{ckaValue, "private value"}}
}

// about says which token and which code made a key.
func (s *Store) about() []hsm.Evidence {
	l, t := s.client.library, s.token
	claim := func(format string, args ...any) hsm.Evidence {
		return hsm.Evidence{Claim: fmt.Sprintf(format, args...), Grade: hsm.Claimed, Device: true}
	}
	return []hsm.Evidence{
		claim("token %s, firmware %s, hardware %s", t, t.Firmware, t.Hardware),
		claim("library %s %s of %s, Cryptoki %s", l.Description, l.Version, l.Manufacturer, l.Cryptoki),
		{Claim: fmt.Sprintf("module %s, SHA-256 %s", l.Path, l.SHA256), Grade: hsm.Observed, Device: true},
	}
}

// Evidence grades what is known of a key. Attributes are a token's claims; a
// refusal that was provoked is proof.
func (k *key) Evidence(ctx context.Context) []hsm.Evidence {
	s, p := k.store, k.pair
	all := s.about()
	say := func(grade hsm.Grade, format string, args ...any) {
		all = append(all, hsm.Evidence{Claim: fmt.Sprintf(format, args...), Grade: grade})
	}
	for _, a := range flagsOf(ckoPrivate) {
		value, told := p.private.Flags[a.name]
		switch {
		case !told:
		case a.name == "local" && !value:
			say(hsm.Claimed, "local=false, so the token does not say that the key was born on it")
		case a.name == "extractable" && value && !k.leaves:
			all = append(all, hsm.Evidence{Claim: "extractable=true, although the key is not to leave its token", Grade: hsm.Observed, Against: true})
		case a.name == "local", a.name == "never_extractable", a.name == "always_sensitive":
			say(hsm.Claimed, "%s=%t", a.name, value)
		default:
			say(hsm.Observed, "%s=%t", a.name, value)
		}
	}
	all = append(all, k.attempts(ctx)...)
	if p.private.Label != k.label {
		say(hsm.Observed, "the token shows the label %q as %q", k.label, p.private.Label)
	}
	say(hsm.Proven, "a signature over a random challenge verifies under the public key")
	return all
}

// attempts tries to get the key out: to read it, and to wrap one that is not to
// leave. A refusal proves something, a key that came out proves more, and what
// the token has no way for proves nothing.
func (k *key) attempts(ctx context.Context) []hsm.Evidence {
	private := k.pair.private
	tried, err := k.store.confinement(ctx, private.Handle, ulong(private.Values["key_type"]), private.Flags["extractable"])
	if err != nil {
		return []hsm.Evidence{{Claim: "the attempts to get the key out ended early: " + err.Error(), Grade: hsm.Observed, Against: true}}
	}
	var all []hsm.Evidence
	for _, one := range tried {
		switch one.Outcome {
		case spec.AttemptSucceeded:
			all = append(all, hsm.Evidence{Claim: "the attempt to " + one.Attempt + " SUCCEEDED: this token is as good as software", Grade: hsm.Proven, Against: true})
		case spec.AttemptRefused:
			all = append(all, hsm.Evidence{Claim: "the attempt to " + one.Attempt + " was refused (" + one.Answer + ")", Grade: hsm.Proven})
		}
	}
	return all
}
