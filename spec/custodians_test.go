package spec

import (
	"slices"
	"strings"
	"testing"
)

// shared gives the good estate's first secret to custodians.
func shared(change func(c *Custodians, s *Secret, k *KeyStore)) func(*Estate) {
	return func(e *Estate) {
		e.Environment = Lab
		c := &Custodians{Origin: origin("custodians", "all"), Threshold: 2, Sharing: 1}
		for _, name := range []string{"alice", "bob", "carol"} {
			c.Holders = append(c.Holders, Holder{Name: name})
		}
		s := &Secret{Origin: origin("secret", "shared"), Custodians: c, Length: DefaultSecret}
		k := &KeyStore{Origin: origin("key_store", "shared"), Kind: FileStore, Path: "keys/shared", Password: s}
		e.Custodians, e.Secrets, e.KeyStores = append(e.Custodians, c), append(e.Secrets, s), append(e.KeyStores, k)
		change(c, s, k)
	}
}

// officers gives people parts in ceremonies, beside the shares.
func officers(roles map[string]string, change func(c *Custodians)) func(*Estate) {
	return func(e *Estate) {
		shared(func(c *Custodians, _ *Secret, _ *KeyStore) {
			if change != nil {
				change(c)
			}
		})(e)
		for _, name := range sortedKeys(roles) {
			e.Officers = append(e.Officers, &Officer{Origin: origin("officer", name), Role: roles[name]})
		}
	}
}

// inGroups puts nine people into three groups.
func inGroups(change func(c *Custodians, s *Secret)) func(*Custodians, *Secret, *KeyStore) {
	return func(c *Custodians, s *Secret, _ *KeyStore) {
		c.Holders = nil
		for i, name := range []string{"alice", "bob", "carol", "dave", "erin", "frank", "gina", "hugo", "ida"} {
			c.Holders = append(c.Holders, Holder{Name: name, Group: []string{"berlin", "lisbon", "oslo"}[i/3]})
		}
		for _, name := range []string{"berlin", "lisbon", "oslo"} {
			c.Groups = append(c.Groups, CustodianGroup{Name: name, Threshold: 2, Count: 3})
		}
		change(c, s)
	}
}

// onToken makes the key store a token whose user's PIN is shared.
func onToken(change func(k *KeyStore)) func(*Custodians, *Secret, *KeyStore) {
	return func(_ *Custodians, s *Secret, k *KeyStore) {
		officer := &Secret{Origin: origin("secret", "officer"), Prompt: true}
		*k = KeyStore{Origin: k.Origin, Kind: PKCS11Store, Password: s, Token: &Token{Module: "/m.so", Label: "t", Initialize: true, OfficerPIN: officer}}
		change(k)
	}
}

func custodyRules() map[string]broken {
	many := strings.Repeat("x", maxShareLabel+1)
	return map[string]broken{
		"good":       {shared(func(*Custodians, *Secret, *KeyStore) {}), nil},
		"good token": {shared(onToken(func(*KeyStore) {})), nil},
		"paper, sites": {shared(func(c *Custodians, _ *Secret, _ *KeyStore) {
			c.Holders[0].Site, c.Holders[1].Site, c.Holders[2].Site = "a", "b", "c"
		}), nil},
		"two sources": {shared(func(_ *Custodians, s *Secret, _ *KeyStore) { s.Prompt = true }), []string{"Two sources for one secret"}},
		"too short":   {shared(func(_ *Custodians, s *Secret, _ *KeyStore) { s.Length = MinSecretLength - 1 }), []string{"Length of a secret"}},
		"too long":    {shared(func(_ *Custodians, s *Secret, _ *KeyStore) { s.Length = MaxSecretLength + 1 }), []string{"Length of a secret"}},
		"length alone": {func(e *Estate) {
			e.Secrets = append(e.Secrets, &Secret{Origin: origin("secret", "x"), Prompt: true, Length: 32})
		}, []string{"Argument of another kind of secret"}},
		"long purpose": {shared(func(_ *Custodians, s *Secret, _ *KeyStore) { s.Address.Name = strings.Repeat("x", 64) }), []string{"Name too long for a share"}},
		"threshold 1":  {shared(func(c *Custodians, _ *Secret, _ *KeyStore) { c.Threshold = 1 }), []string{"Threshold too low"}},
		"threshold 4":  {shared(func(c *Custodians, _ *Secret, _ *KeyStore) { c.Threshold = 4 }), []string{"Threshold that cannot be reached"}},
		"all needed":   {shared(func(c *Custodians, _ *Secret, _ *KeyStore) { c.Threshold = 3 }), []string{"No share may ever be lost"}},
		"crowd": {shared(func(c *Custodians, _ *Secret, _ *KeyStore) {
			for len(c.Holders) <= MaxShareHolders {
				c.Holders = append(c.Holders, Holder{Name: strings.Repeat("d", len(c.Holders))})
			}
		}), []string{"Too many custodians"}},
		"one person": {shared(func(c *Custodians, _ *Secret, _ *KeyStore) { c.Holders[1].Name = "ALICE" }), []string{"One person, two shares"}},
		"one key": {shared(func(c *Custodians, _ *Secret, _ *KeyStore) {
			c.Holders[0].Recipient, c.Holders[2].Recipient = "age1x", "age1x"
		}), []string{"One key, two shares"}},
		"one site": {shared(func(c *Custodians, _ *Secret, _ *KeyStore) {
			c.Holders[0].Site, c.Holders[1].Site, c.Holders[2].Site = "a", "b", "a"
		}), []string{"Site that holds the secret"}},
		"no site":     {shared(func(c *Custodians, _ *Secret, _ *KeyStore) { c.Holders[0].Site = "a" }), []string{"Holder without a site"}},
		"no name":     {shared(func(c *Custodians, _ *Secret, _ *KeyStore) { c.Holders[0].Name = "" }), []string{"Name that cannot stand on a share"}},
		"long name":   {shared(func(c *Custodians, _ *Secret, _ *KeyStore) { c.Holders[0].Name = many }), []string{"Name that cannot stand on a share"}},
		"bell":        {shared(func(c *Custodians, _ *Secret, _ *KeyStore) { c.Holders[0].Name = "al\aice" }), []string{"Name that cannot stand on a share"}},
		"private key": {shared(func(c *Custodians, _ *Secret, _ *KeyStore) { c.Holders[0].Recipient = "age-secret-key-1x" }), []string{"Private key in the estate"}},
		"other key":   {shared(func(c *Custodians, _ *Secret, _ *KeyStore) { c.Holders[0].Recipient = "ssh-ed25519 AAAA" }), []string{"Not an age recipient"}},
		"file in Git": {shared(func(c *Custodians, _ *Secret, _ *KeyStore) { c.Holders[0].Identity = "alice.key" }), []string{"Identity in a place that is committed"}},
		"two keys": {shared(func(c *Custodians, _ *Secret, _ *KeyStore) {
			c.Holders[0].Identity, c.Holders[0].Recipient = "secrets/a", "age1x"
		}), []string{"Two keys for one holder"}},
		"file for a man": {func(e *Estate) {
			shared(func(c *Custodians, _ *Secret, _ *KeyStore) { c.Holders[0].Identity = "secrets/a.key" })(e)
			e.Environment = Production
		}, []string{"Custodian in a file"}},
		"sharing 0":           {shared(func(c *Custodians, _ *Secret, _ *KeyStore) { c.Sharing = 0 }), []string{"Number of a sharing"}},
		"sharing 1000":        {shared(func(c *Custodians, _ *Secret, _ *KeyStore) { c.Sharing = 1000 }), []string{"Number of a sharing"}},
		"one of two officers": {officers(map[string]string{"alice": Operator, "bob": Witness}, nil), nil},
		"keyboard":            {officers(map[string]string{"Alice": Operator, "BOB": Administrator}, nil), []string{"Operators with a secret of their own"}},
		"keyboard by reference": {officers(map[string]string{"ada": Operator, "bob": Administrator}, func(c *Custodians) {
			c.Holders[2].Officer = Address{Kind: "officer", Name: "ada"}
		}), []string{"Operators with a secret of their own"}},
		"namesake of an officer": {officers(map[string]string{"alice": Operator, "bob": Administrator, "aunt": Witness}, func(c *Custodians) {
			c.Holders[0].Officer = Address{Kind: "officer", Name: "aunt"}
		}), nil},
		"keyboard in groups": {officers(map[string]string{"alice": Operator, "bob": Operator, "dave": Administrator, "frank": Administrator}, func(c *Custodians) {
			inGroups(func(*Custodians, *Secret) {})(c, nil, nil)
		}), []string{"Operators with a secret of their own"}},
		"keyboard in one group": {officers(map[string]string{"alice": Operator, "bob": Operator, "carol": Administrator, "frank": Administrator}, func(c *Custodians) {
			inGroups(func(*Custodians, *Secret) {})(c, nil, nil)
		}), nil},
		"groups":          {shared(inGroups(func(*Custodians, *Secret) {})), nil},
		"group of one":    {shared(inGroups(func(c *Custodians, _ *Secret) { c.Groups[1].Threshold = 1 })), []string{"Threshold too low"}},
		"small group":     {shared(inGroups(func(c *Custodians, _ *Secret) { c.Groups[1].Threshold = 4 })), []string{"Threshold that cannot be reached"}},
		"whole group":     {shared(inGroups(func(c *Custodians, _ *Secret) { c.Groups[1].Threshold = 3 })), []string{"No share may ever be lost"}},
		"one group":       {shared(inGroups(func(c *Custodians, _ *Secret) { c.Threshold = 1 })), []string{"Threshold too low"}},
		"all groups":      {shared(inGroups(func(c *Custodians, _ *Secret) { c.Threshold = 3 })), []string{"No share may ever be lost"}},
		"one man, twice":  {shared(inGroups(func(c *Custodians, _ *Secret) { c.Holders[8].Name = "alice" })), []string{"One person, two shares"}},
		"a lone holder":   {shared(inGroups(func(c *Custodians, _ *Secret) { c.Holders[8].Group = "" })), []string{"Holder outside of groups"}},
		"site in a group": {shared(inGroups(func(c *Custodians, _ *Secret) { c.Holders[8].Site = "oslo" })), []string{"Site beside groups"}},
		"group twice":     {shared(inGroups(func(c *Custodians, _ *Secret) { c.Groups[1].Name = "Berlin" })), []string{"Name of a group"}},
		"long group":      {shared(inGroups(func(c *Custodians, _ *Secret) { c.Groups[1].Name = strings.Repeat("x", 50) })), []string{"Name too long for a share"}},
		"long secret":     {shared(inGroups(func(_ *Custodians, s *Secret) { s.Length = 33 })), []string{"Secret too long for groups"}},
		"idle people": {func(e *Estate) {
			e.Custodians = append(e.Custodians, &Custodians{Origin: origin("custodians", "x"), Threshold: 2, Sharing: 1, Holders: []Holder{{Name: "a"}, {Name: "b"}, {Name: "c"}}})
		}, []string{"Custodians without a secret"}},
		"idle secret": {shared(func(_ *Custodians, s *Secret, k *KeyStore) {
			k.Password = &Secret{Origin: origin("secret", "y"), Prompt: true}
		}), []string{"Shared secret without use"}},
		"daily": {func(e *Estate) {
			shared(func(_ *Custodians, s *Secret, _ *KeyStore) {
				e.Provisioners = append(e.Provisioners, &Provisioner{Origin: origin("provisioner", "x"), Kind: "jwk", Password: s})
			})(e)
		}, []string{"Everyday password with custodians"}},
		"old token":  {shared(onToken(func(k *KeyStore) { k.Token.Initialize, k.Token.OfficerPIN = false, nil })), []string{"PIN that the token does not have"}},
		"alphabet":   {shared(onToken(func(k *KeyStore) { k.Token.UserForm.Alphabet = "words" })), []string{"Unknown alphabet"}},
		"short PIN":  {shared(onToken(func(k *KeyStore) { k.Token.UserForm.Length = 3 })), []string{"Length that no PIN has", "PIN of few bits"}},
		"digits":     {shared(onToken(func(k *KeyStore) { k.Token.UserForm = PINForm{"digits", 8} })), []string{"PIN of few bits"}},
		"long PIN":   {shared(onToken(func(k *KeyStore) { k.Token.UserForm.Length = 65 })), []string{"Length that no PIN has"}},
		"typed form": {shared(onToken(func(k *KeyStore) { k.Token.OfficerForm.Length = 16 })), []string{"Form of a PIN that is not made here"}},
		"token's PIN": {shared(onToken(func(k *KeyStore) {
			k.Token.UserForm.Length = 16
			k.Token.Capabilities = &Capabilities{Token: CapabilityToken{Label: "t", MinPIN: 4, MaxPIN: 15}}
		})), []string{"PIN that the token cannot have"}},
	}
}

// TestCustodyRules breaks every rule about custodians and the PINs that come
// from them.
func TestCustodyRules(t *testing.T) {
	seen := map[string]bool{}
	for name, b := range custodyRules() {
		b.check(t, name, seen)
	}
	for _, summary := range summariesInSource(t, "custodians.go", "pin.go") {
		if !seen[summary] {
			t.Errorf("no test breaks the rule %q", summary)
		}
	}
}

func TestPINForms(t *testing.T) {
	for _, text := range []string{"", "letters:32", "digits:4", "hex:64"} {
		f, err := ParsePINForm(text)
		if err != nil || f.String() != text {
			t.Errorf("%q: %v, %v", text, f, err)
		}
	}
	for _, text := range []string{"letters", "letters:", ":8", "digits:3", "hex:65", "words:8", "digits:+8", "digits:08", "digits:8:8", "Digits:8"} {
		if f, err := ParsePINForm(text); err == nil {
			t.Errorf("%q was taken as %v", text, f)
		}
	}
	k := &KeyStore{Password: &Secret{Custodians: &Custodians{}}, Token: &Token{}}
	if f := k.PINForm(false); f.String() != "letters:32" {
		t.Errorf("without a word the form is %q", f)
	}
	k.Token.Capabilities = &Capabilities{Token: CapabilityToken{MaxPIN: 15}}
	if f := k.PINForm(false); f.String() != "letters:15" {
		t.Errorf("on a token with short PINs the form is %q", f)
	}
	if f := k.PINForm(true); f != (PINForm{}) {
		t.Errorf("an officer's PIN that is typed has the form %q", f)
	}
	for _, a := range PINAlphabets() {
		letters := []byte((PINForm{Alphabet: a}).Letters())
		slices.Sort(letters)
		if len(letters) < 10 || len(slices.Compact(letters)) != len(letters) {
			t.Errorf("the alphabet %s is %q", a, letters)
		}
	}
}
