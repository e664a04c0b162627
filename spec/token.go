package spec

import (
	"fmt"
	"path"
	"strings"
	"unicode/utf8"
)

// Kinds of key store.
const (
	FileStore   = "file"
	PKCS11Store = "pkcs11"
)

// Token says which token of an HSM a key store is, and how it is reached. It
// is never a slot: modules number slots as they like.
type Token struct {
	Module       string // absolute path
	ModuleSHA256 string // lower-case hex; empty when it is not pinned
	InitArgs     string // for the few modules that want words at start, such as NSS
	Label        string
	Serial       string
	Manufacturer string
	Model        string
	PINPad       bool // the PIN is entered on the device; KeyStore.Password is nil

	Initialize bool    // the first ceremony gives an empty token its label and PINs
	OfficerPIN *Secret // of the security officer; nil when Initialize is not set

	UserForm    PINForm // as written, for PINs from custodians; KeyStore.PINForm is effective
	OfficerForm PINForm

	CapabilitiesFile string
	Capabilities     *Capabilities // nil when no file is named
}

// KeyURI names a key on a token as RFC 7512 has it, without a PIN.
func (t *Token) KeyURI(id []byte, label string) string {
	var parts []string
	put := func(word, value string) {
		if value != "" {
			parts = append(parts, word+"="+value)
		}
	}
	put("token", escape(t.Label))
	put("serial", escape(t.Serial))
	put("manufacturer", escape(t.Manufacturer))
	put("model", escape(t.Model))
	var percent strings.Builder
	for _, c := range id {
		fmt.Fprintf(&percent, "%%%02x", c)
	}
	put("id", percent.String())
	put("object", escape(label))
	return "pkcs11:" + strings.Join(parts, ";")
}

// escape leaves the unreserved characters of RFC 3986 and escapes the rest.
func escape(text string) string {
	var s strings.Builder
	for i := range len(text) {
		c := text[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0 {
			s.WriteByte(c)
			continue
		}
		fmt.Fprintf(&s, "%%%02X", c)
	}
	return s.String()
}

// isDigest says whether s is a SHA-256 in lower-case hex.
func isDigest(s string) bool {
	return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == ""
}

// validateKind sees that a key store has what its kind needs, and nothing of
// another.
func (k *KeyStore) validateKind(d *Diagnostics, env Environment) {
	switch k.Kind {
	case FileStore:
		for _, word := range k.tokenWords() {
			d.Report(k.Origin, word, "Argument of another kind of key store", "A key store of files has no %s. Remove it, or write key_store \"pkcs11\".", word)
		}
		k.needs(d, "path", k.Path != "", "the folder of the encrypted keys, such as \"keys\"")
		k.needs(d, "password", k.Password != nil, "a reference to a secret, such as secret.root")
	case PKCS11Store:
		for _, word := range []string{"path", "password"} {
			if _, written := k.Attributes[word]; written {
				d.Report(k.Origin, word, "Argument of another kind of key store", "A token has no %s. Remove it; the token's PIN is given with pin.", word)
			}
		}
		k.Token.validate(d, k, env)
	default:
		d.Report(k.Origin, "", "Unknown kind of key store", "%q is not a kind of key store that this version knows. Write key_store \"file\" or key_store \"pkcs11\".", k.Kind)
	}
}

// tokenWords lists the arguments that were written and belong to a token.
func (k *KeyStore) tokenWords() []string {
	var written []string
	for _, word := range []string{"module", "module_sha256", "init_args", "token", "serial", "manufacturer", "model", "pin", "pin_pad", "initialize", "so_pin", "capabilities", "pin_alphabet", "pin_length", "so_pin_alphabet", "so_pin_length"} {
		if _, is := k.Attributes[word]; is {
			written = append(written, word)
		}
	}
	return written
}

func (k *KeyStore) needs(d *Diagnostics, word string, has bool, what string) {
	if !has {
		d.Report(k.Origin, word, "Missing required argument", "The argument %q is required: %s. Add it.", word, what)
	}
}

func (t *Token) validate(d *Diagnostics, k *KeyStore, env Environment) {
	k.needs(d, "module", t.Module != "", "the whole path of the vendor's PKCS#11 module, such as \"/usr/lib/softhsm/libsofthsm2.so\"")
	if t.Module != "" && (!path.IsAbs(t.Module) || t.Module != path.Clean(t.Module)) {
		d.Report(k.Origin, "module", "Module without a whole path",
			"%q would be looked for in places that others may write to. Write the module's whole path, such as \"/usr/lib/softhsm/libsofthsm2.so\".", t.Module)
	}
	if base := path.Base(t.Module); strings.Contains(base, "p11-kit-proxy") || strings.Contains(base, "pkcs11-spy") {
		d.Report(k.Origin, "module", "Not a vendor's module",
			"%s loads other modules or writes down PINs. Name the vendor's own module.", base)
	}
	switch {
	case t.ModuleSHA256 != "" && !isDigest(t.ModuleSHA256):
		d.Report(k.Origin, "module_sha256", "Not a SHA-256", "%q is not 64 digits of lower-case hex. Write what sha256sum prints for the module.", t.ModuleSHA256)
	case t.ModuleSHA256 == "" && env == Production:
		d.Warn(k.Origin, "", "Module is not pinned", "Any file at that path would be loaded and given the PIN. Add module_sha256, as sha256sum prints it.")
	}
	if t.Label == "" && t.Serial == "" {
		d.Report(k.Origin, "", "Token without a name", "A token is chosen by its label or serial, never by a slot. Add token = \"…\" or serial = \"…\"; pki token list shows what there is.")
	}
	if len(t.Label) > 32 || !utf8.ValidString(t.Label) {
		d.Report(k.Origin, "token", "Label too long", "Labels of tokens have at most 32 bytes. Write the label that pki token list shows.")
	}
	switch {
	case t.PINPad && k.Password != nil:
		d.Report(k.Origin, "pin_pad", "Two ways to give one PIN", "A PIN comes from a secret or from the device's own pad, not from both. Remove pin or pin_pad.")
	case !t.PINPad && k.Password == nil:
		d.Report(k.Origin, "pin", "Token without a PIN", "Write pin = secret.NAME, or pin_pad = true when the PIN is entered on the device.")
	}
	t.validateInitialize(d, k)
	t.validatePINForms(d, k)
	if t.CapabilitiesFile == "" && env == Production {
		d.Warn(k.Origin, "", "Token was not tested",
			"Whether it can do what the estate asks of it shows only in the ceremony. Run pki token test --out FILE and add capabilities = \"FILE\".")
	}
	t.validateCapabilities(d, k, env)
}

// validateInitialize sees that a token that a plan makes ready can be named
// before it is, and that someone keeps the officer's PIN.
func (t *Token) validateInitialize(d *Diagnostics, k *KeyStore) {
	switch {
	case !t.Initialize && t.OfficerPIN != nil:
		d.Report(k.Origin, "so_pin", "Officer's PIN without use", "The security officer's PIN is wanted only to initialise a token. Remove so_pin, or write initialize = true.")
	case !t.Initialize:
	case t.OfficerPIN == nil:
		d.Report(k.Origin, "initialize", "Token without an officer's PIN", "A new token gets two PINs. Write so_pin = secret.NAME beside pin.")
	case t.PINPad:
		d.Report(k.Origin, "initialize", "Token that cannot be initialised here", "A token with a PIN pad is initialised with the vendor's tool. Remove initialize.")
	case t.OfficerPIN == k.Password:
		d.Report(k.Origin, "so_pin", "One secret for two PINs", "Whoever has the officer's PIN can set the user's. Give each a secret of its own.")
	case t.Label == "" || t.Serial != "":
		d.Report(k.Origin, "initialize", "New token by its serial", "A token gets its label, and often its serial, when it is initialised. Name it with token = \"…\" alone.")
	}
}

// validateCapabilities refuses a capability file of another token, and warns of
// a token that gave a key away.
func (t *Token) validateCapabilities(d *Diagnostics, k *KeyStore, env Environment) {
	c := t.Capabilities
	if c == nil {
		return
	}
	for _, pair := range []struct{ word, want, have string }{
		{"label", t.Label, c.Token.Label}, {"serial", t.Serial, c.Token.Serial}, {"manufacturer", t.Manufacturer, c.Token.Manufacturer},
		{"model", t.Model, c.Token.Model}, {"module's SHA-256", t.ModuleSHA256, c.Module.SHA256},
	} {
		if pair.want != "" && pair.want != pair.have {
			d.Report(k.Origin, "capabilities", "Capability file of another token",
				"%s is about a token with the %s %q, and this key store has %q. Run pki token test on the right token.", t.CapabilitiesFile, pair.word, pair.have, pair.want)
		}
	}
	for _, r := range c.Confinement {
		if r.Outcome == AttemptSucceeded && env == Production {
			d.Warn(k.Origin, "capabilities", "Token that gives keys away",
				"%s says that a key came out of the token %q although it must not leave (%s). Keys on it are as safe as keys in a file. Use another token for keys that matter.", t.CapabilitiesFile, c.Token.Label, r.Attempt)
			break
		}
	}
}

// validateAbility refuses a key that its token was seen not to make.
func (k *Key) validateAbility(d *Diagnostics) {
	if k == nil || k.Store == nil || k.Store.Token == nil || k.Store.Token.Capabilities == nil {
		return
	}
	c := k.Store.Token.Capabilities
	why, works := c.Can(k.Algorithm)
	if works {
		return
	}
	next := "Choose another token; this one does nothing that was tried"
	if can := c.Working(); len(can) > 0 {
		next = "Choose one of " + strings.Join(can, ", ") + ", or another token"
	}
	d.Report(k.Origin, "algorithm", "Algorithm that the token cannot do", "%s says that the token %q cannot do %s: %s. %s.",
		k.Store.Token.CapabilitiesFile, c.Token.Label, k.Algorithm.Title(), why, next)
}
