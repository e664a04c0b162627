package shamir

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"
	"filippo.io/age/armor"
	"filippo.io/age/plugin"
)

// Person lets an age plugin talk to whoever holds the key, who may have to
// touch it or type a PIN. A nil function refuses the question.
type Person struct {
	Show func(text string)
	Ask  func(prompt string, secret bool) (string, error)
}

func (p Person) ui() *plugin.ClientUI {
	unasked := errors.New("the plugin asks for something and there is nobody to answer")
	return &plugin.ClientUI{
		DisplayMessage: func(name, message string) error {
			if p.Show != nil {
				p.Show(name + ": " + message)
			}
			return nil
		},
		RequestValue: func(name, prompt string, secret bool) (string, error) {
			if p.Ask == nil {
				return "", unasked
			}
			return p.Ask(name+": "+prompt, secret)
		},
		Confirm: func(name, prompt, yes, no string) (bool, error) {
			if p.Ask == nil {
				return false, unasked
			}
			answer, err := p.Ask(fmt.Sprintf("%s: %s (type %q, anything else is no)", name, prompt, yes), false)
			return strings.TrimSpace(answer) == yes, err
		},
		WaitTimer: func(name string) {
			if p.Show != nil {
				p.Show("waiting for " + name + "; is the key plugged in?")
			}
		},
	}
}

// Recipient is whom a share is encrypted to.
type Recipient struct {
	name string
	to   age.Recipient
}

// String gives the public key.
func (r Recipient) String() string { return r.name }

// ParseRecipient reads an age recipient: age1… for X25519, age1pq1… for
// hybrid keys, and age1NAME1… for the plugin NAME, which must be installed.
func ParseRecipient(s string, p Person) (Recipient, error) {
	if strings.HasPrefix(strings.ToUpper(s), "AGE-SECRET-KEY-") || strings.HasPrefix(strings.ToUpper(s), "AGE-PLUGIN-") {
		return Recipient{}, fmt.Errorf("this is an identity, which is private; give the recipient that belongs to it, age1…")
	}
	var to age.Recipient
	to, err := age.ParseX25519Recipient(s)
	if err != nil && strings.HasPrefix(s, "age1pq1") {
		to, err = age.ParseHybridRecipient(s)
	} else if err != nil {
		if name, _, pluginErr := plugin.ParseRecipient(s); pluginErr == nil && name != "" {
			to, err = plugin.NewRecipient(s, p.ui())
		}
	}
	if err != nil {
		return Recipient{}, fmt.Errorf("%q is not an age recipient: %w", s, err)
	}
	return Recipient{s, to}, nil
}

// Encrypt gives the share's JSON form as an armored age file for one holder.
// The file key comes from age's own randomness.
func (s *Share) Encrypt(r Recipient) ([]byte, error) {
	text := s.JSON()
	defer clear(text)
	return r.Seal(text)
}

// Seal gives a whole secret as an armored age file, for one who needs it as it
// is: the operator of a host, and no custodian.
func (r Recipient) Seal(text []byte) ([]byte, error) {
	var b bytes.Buffer
	a := armor.NewWriter(&b)
	w, err := age.Encrypt(a, r.to)
	if err != nil {
		return nil, fmt.Errorf("encrypting to %s: %w", r.name, err)
	}
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	if err := errors.Join(w.Close(), a.Close()); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// IsEncrypted reports whether a text is an age file.
func IsEncrypted(text []byte) bool {
	text = bytes.TrimSpace(text)
	return bytes.HasPrefix(text, []byte(armor.Header)) || bytes.HasPrefix(text, []byte("age-encryption.org/"))
}

// Identities are what opens age files.
type Identities []age.Identity

// ParseIdentities reads a file of age identities, one to a line, those of
// plugins among them.
func ParseIdentities(text []byte, p Person) (Identities, error) {
	var all Identities
	lines := bufio.NewScanner(bytes.NewReader(text))
	for number := 1; lines.Scan(); number++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		var one age.Identity
		var err error
		switch {
		case strings.HasPrefix(line, "AGE-PLUGIN-"):
			one, err = plugin.NewIdentity(line, p.ui())
		case strings.HasPrefix(line, "AGE-SECRET-KEY-PQ-1"):
			one, err = age.ParseHybridIdentity(line)
		default:
			one, err = age.ParseX25519Identity(line)
		}
		if err != nil {
			// The line is private, and so may be what the error quotes of it.
			return nil, fmt.Errorf("line %d is not an age identity", number)
		}
		all = append(all, one)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("there is no age identity in it")
	}
	return all, nil
}

// Decrypt opens an age file and reads the share in it.
func Decrypt(text []byte, ids Identities) (*Reading, error) {
	if len(text) > maxEncrypted {
		return nil, tooLong(maxEncrypted)
	}
	var in io.Reader = bytes.NewReader(bytes.TrimSpace(text))
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte(armor.Header)) {
		in = armor.NewReader(in)
	}
	r, err := age.Decrypt(in, ids...)
	var foreign *age.NoIdentityMatchError
	if errors.As(err, &foreign) {
		return nil, &Fault{Kind: ErrEncrypted, Fact: "it is encrypted to someone else", Next: "give the identity of the holder whose file this is"}
	}
	if err != nil {
		return nil, damaged(copyAgain, "it is not a whole age file: %w", err)
	}
	inner, err := io.ReadAll(io.LimitReader(r, maxText+1))
	defer clear(inner)
	if err != nil {
		return nil, damaged(copyAgain, "it is not a whole age file: %w", err)
	}
	if IsEncrypted(inner) {
		return nil, &Fault{Kind: ErrUnknown, Fact: "it is an age file in an age file", Next: "give the file that pki share split wrote"}
	}
	return Read(inner)
}

// NewIdentity makes an X25519 identity, as the text of a file. The key comes
// from age's own randomness.
func NewIdentity() ([]byte, error) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, "# public key: %s\n%s\n", id.Recipient(), id), nil
}

// Recipient gives the public key of the one identity there is.
func (ids Identities) Recipient() (Recipient, error) {
	if len(ids) != 1 {
		return Recipient{}, fmt.Errorf("there are %d identities in it, and one is wanted", len(ids))
	}
	switch id := ids[0].(type) {
	case *age.X25519Identity:
		return Recipient{id.Recipient().String(), id.Recipient()}, nil
	case *age.HybridIdentity:
		return Recipient{id.Recipient().String(), id.Recipient()}, nil
	}
	return Recipient{}, fmt.Errorf("its recipient cannot be told from it; name the recipient")
}
