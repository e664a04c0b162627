package spec

import (
	"strings"
	"testing"
)

func TestKeyURI(t *testing.T) {
	for want, token := range map[string]Token{
		"pkcs11:token=acme-root;id=%00%ff;object=root":                             {Label: "acme-root"},
		"pkcs11:serial=0%2F1;id=%00%ff;object=root":                                {Serial: "0/1"},
		"pkcs11:token=a%3Bb%20%C3%A9;manufacturer=M;model=X;id=%00%ff;object=root": {Label: "a;b é", Manufacturer: "M", Model: "X"},
	} {
		if have := token.KeyURI([]byte{0, 255}, "root"); have != want {
			t.Errorf("%s, want %s", have, want)
		}
	}
}

// TestKeyStoreRules holds what a key store on a token must and must not have.
func TestKeyStoreRules(t *testing.T) {
	good := func() *KeyStore {
		return &KeyStore{
			Kind: PKCS11Store, Password: &Secret{},
			Token: &Token{Module: "/usr/lib/m.so", ModuleSHA256: strings.Repeat("0a", 32), Label: "root", CapabilitiesFile: "root.json"},
		}
	}
	for name, c := range map[string]struct {
		change   func(*KeyStore)
		severity Severity
		summary  string
	}{
		"good":                   {func(*KeyStore) {}, 0, ""},
		"no module":              {func(k *KeyStore) { k.Token.Module = "" }, Error, "Missing required argument"},
		"relative module":        {func(k *KeyStore) { k.Token.Module = "m.so" }, Error, "Module without a whole path"},
		"module with dots":       {func(k *KeyStore) { k.Token.Module = "/usr/lib/../m.so" }, Error, "Module without a whole path"},
		"proxy":                  {func(k *KeyStore) { k.Token.Module = "/usr/lib/p11-kit-proxy.so" }, Error, "Not a vendor's module"},
		"spy":                    {func(k *KeyStore) { k.Token.Module = "/usr/lib/pkcs11-spy.so" }, Error, "Not a vendor's module"},
		"no pin of module":       {func(k *KeyStore) { k.Token.ModuleSHA256 = "" }, Warning, "Module is not pinned"},
		"capital hash":           {func(k *KeyStore) { k.Token.ModuleSHA256 = strings.Repeat("0A", 32) }, Error, "Not a SHA-256"},
		"no name":                {func(k *KeyStore) { k.Token.Label = "" }, Error, "Token without a name"},
		"serial alone":           {func(k *KeyStore) { k.Token.Label, k.Token.Serial = "", "1" }, 0, ""},
		"long label":             {func(k *KeyStore) { k.Token.Label = strings.Repeat("é", 17) }, Error, "Label too long"},
		"no PIN":                 {func(k *KeyStore) { k.Password = nil }, Error, "Token without a PIN"},
		"pad":                    {func(k *KeyStore) { k.Password, k.Token.PINPad = nil, true }, 0, ""},
		"PIN and pad":            {func(k *KeyStore) { k.Token.PINPad = true }, Error, "Two ways to give one PIN"},
		"initialise":             {func(k *KeyStore) { k.Token.Initialize, k.Token.OfficerPIN = true, &Secret{File: "so"} }, 0, ""},
		"initialise, no officer": {func(k *KeyStore) { k.Token.Initialize = true }, Error, "Token without an officer's PIN"},
		"officer, no initialise": {func(k *KeyStore) { k.Token.OfficerPIN = &Secret{File: "so"} }, Error, "Officer's PIN without use"},
		"one secret for both":    {func(k *KeyStore) { k.Token.Initialize, k.Token.OfficerPIN = true, k.Password }, Error, "One secret for two PINs"},
		"initialise by serial": {func(k *KeyStore) {
			k.Token.Initialize, k.Token.OfficerPIN, k.Token.Serial = true, &Secret{File: "so"}, "1"
		}, Error, "New token by its serial"},
		"initialise with a pad": {func(k *KeyStore) {
			k.Token.Initialize, k.Token.OfficerPIN, k.Token.PINPad, k.Password = true, &Secret{File: "so"}, true, nil
		}, Error, "Token that cannot be initialised here"},
		"untested":       {func(k *KeyStore) { k.Token.CapabilitiesFile = "" }, Warning, "Token was not tested"},
		"another's file": {func(k *KeyStore) { k.Token.Capabilities = &Capabilities{Token: CapabilityToken{Label: "x"}} }, Error, "Capability file of another token"},
		"gives keys away": {func(k *KeyStore) {
			k.Token.Capabilities = &Capabilities{Token: CapabilityToken{Label: "root"}, Module: CapabilityModule{SHA256: k.Token.ModuleSHA256},
				Confinement: []CapabilityRefusal{{"read the private value", AttemptRefused, ""}, {"wrap it with AES_CBC_PAD", AttemptSucceeded, "CKR_OK"}}}
		}, Warning, "Token that gives keys away"},
		"keeps keys": {func(k *KeyStore) {
			k.Token.Capabilities = &Capabilities{Token: CapabilityToken{Label: "root"}, Module: CapabilityModule{SHA256: k.Token.ModuleSHA256},
				Confinement: []CapabilityRefusal{{"read the private value", AttemptRefused, ""}, {"wrap it with AES_CBC_PAD", AttemptImpossible, ""}}}
		}, 0, ""},
		"path": {func(k *KeyStore) { k.Attributes = map[string]Range{"path": {}} }, Error, "Argument of another kind of key store"},
		"files with module": {func(k *KeyStore) {
			*k = KeyStore{Kind: FileStore, Path: "keys", Password: &Secret{}, Origin: Origin{Attributes: map[string]Range{"module": {}}}}
		}, Error, "Argument of another kind of key store"},
		"files":          {func(k *KeyStore) { *k = KeyStore{Kind: FileStore, Path: "keys", Password: &Secret{}} }, 0, ""},
		"files, no path": {func(k *KeyStore) { *k = KeyStore{Kind: FileStore, Password: &Secret{}} }, Error, "Missing required argument"},
		"unknown kind":   {func(k *KeyStore) { k.Kind = "tpm" }, Error, "Unknown kind of key store"},
	} {
		k := good()
		c.change(k)
		var d Diagnostics
		k.validate(&d, Production)
		switch {
		case c.severity == 0 && len(d) > 0:
			t.Errorf("%s: %v", name, d)
		case c.severity != 0 && (!strings.Contains(d.Error(), c.summary+":") || d.HasErrors() != (c.severity == Error)):
			t.Errorf("%s: %v, want %s", name, d, c.summary)
		}
		var lab Diagnostics
		if k.validate(&lab, Lab); c.severity == Warning && len(lab) > 0 {
			t.Errorf("%s in a lab: %v", name, lab)
		}
	}
}

func TestParseCapabilities(t *testing.T) {
	for text, good := range map[string]bool{
		`{"format":"pki-token/1"}`:             true,
		`{"format":"pki-token/2"}`:             false,
		`{"format":"pki-token/1","unknown":1}`: false,
		`{`:                                    false,
		`{"format":"pki-token/1","algorithms":[{"x":1}]}`: false,
	} {
		if c, err := ParseCapabilities([]byte(text)); (err == nil) != good || (c != nil) != good {
			t.Errorf("%s: %v", text, err)
		}
	}
	c := &Capabilities{Algorithms: []Capability{{Algorithm: Ed25519, Works: true}, {Algorithm: RSA4096, Why: "too small"}, {Algorithm: RSA3072}}}
	for a, want := range map[Algorithm]string{Ed25519: "", RSA4096: "too small", RSA3072: "it did not work in the test", ECDSAP256: "it was not tested"} {
		if why, works := c.Can(a); why != want || works != (a == Ed25519) {
			t.Errorf("%s: %q, %t", a, why, works)
		}
	}
	if have := strings.Join(c.Working(), " "); have != `"ed25519"` {
		t.Error(have)
	}
}

// TestAbilityOfKeys refuses a key that its token was seen not to make, whoever
// it is of.
func TestAbilityOfKeys(t *testing.T) {
	for works, want := range map[bool]int{true: 0, false: 2} {
		store := &KeyStore{Kind: PKCS11Store, Token: &Token{Label: "root", Capabilities: &Capabilities{
			Token: CapabilityToken{Label: "root"}, Algorithms: []Capability{{Algorithm: Ed25519, Works: works, Why: "it has no mechanism"}},
		}}}
		key := func(kind string) *Key { return &Key{Origin: origin(kind, "x"), Store: store, Algorithm: Ed25519} }
		e := &Estate{Environment: Lab, Authorities: []*Authority{{Key: key("authority")}}, SSHAuthorities: []*SSHAuthority{{Type: "user", Key: key("ssh_authority")}}}
		if got := strings.Count(e.Validate().Error(), "Algorithm that the token cannot do:"); got != want {
			t.Errorf("when it works is %t: %d refusals, want %d\n%s", works, got, want, e.Validate().Error())
		}
	}
}
