package pkcs11

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"
)

// KeyURI is a private key on a token, as a URI of RFC 7512 names it.
type KeyURI struct {
	Token  Selector
	ID     []byte // CKA_ID, nil when the URI has none
	Label  string // CKA_LABEL, empty when the URI has none
	Module string // module-path, empty when the URI has none
	// PINSource is the path of a file that holds the PIN, empty when the URI
	// names none.
	PINSource string
}

// maxURI is far above the longest name of any key.
const maxURI = 4096

// ParseKeyURI reads a URI of RFC 7512 that names one private key: a token by
// its label or serial, and the key by id, object or both. A slot is refused,
// because modules number slots anew; a PIN is refused, because whatever stands
// on a command line is no secret; an attribute that is not known is refused,
// because leaving it out would name more than was asked for (RFC 7512 §2.3).
func ParseKeyURI(text string) (KeyURI, error) {
	var u KeyURI
	rest, isURI := strings.CutPrefix(text, "pkcs11:")
	switch {
	case !isURI:
		return u, errors.New(`it does not begin with "pkcs11:"`)
	case len(rest) > maxURI:
		return u, fmt.Errorf("it has %d characters, more than any key's name", len(rest))
	}
	names, query, _ := strings.Cut(rest, "?")
	seen := map[string]bool{}
	for part := range strings.SplitSeq(names, ";") {
		if err := u.attribute(part, seen, u.name); err != nil {
			return KeyURI{}, err
		}
	}
	if query != "" {
		for part := range strings.SplitSeq(query, "&") {
			if err := u.attribute(part, seen, u.query); err != nil {
				return KeyURI{}, err
			}
		}
	}
	switch {
	case u.Token.Label == "" && u.Token.Serial == "":
		return KeyURI{}, errors.New("it names no token; add token=LABEL or serial=NUMBER, as pki token list shows them")
	case u.ID == nil && u.Label == "":
		return KeyURI{}, errors.New("it names no key; add object=LABEL or id=%01%02…, as pki token inspect --login shows them")
	}
	return u, nil
}

// attribute reads one NAME=VALUE and hands it over decoded.
func (u *KeyURI) attribute(part string, seen map[string]bool, take func(name, value string) error) error {
	name, raw, found := strings.Cut(part, "=")
	if !found || name == "" {
		return fmt.Errorf("%q is not an attribute; write NAME=VALUE", shown(part))
	}
	if seen[name] {
		return fmt.Errorf("it has %s twice", name)
	}
	seen[name] = true
	if name == "pin-value" {
		return errors.New("it has pin-value: a PIN on a command line is no secret; leave it out and give --pin-file, or let the terminal ask")
	}
	value, err := url.PathUnescape(raw)
	if err != nil {
		return fmt.Errorf("the value of %s is not percent-encoded as RFC 3986 has it", name)
	}
	if value == "" {
		return fmt.Errorf("%s is empty; leave it out", name)
	}
	return take(name, value)
}

// shown cuts what an error quotes: nobody knows what was pasted here.
func shown(text string) string { return text[:min(len(text), 24)] }

// name takes an attribute of the path.
func (u *KeyURI) name(name, value string) error {
	switch name {
	case "token":
		u.Token.Label = value
	case "serial":
		u.Token.Serial = value
	case "manufacturer":
		u.Token.Manufacturer = value
	case "model":
		u.Token.Model = value
	case "id":
		u.ID = []byte(value)
	case "object":
		u.Label = value
	case "type":
		if value != "private" {
			return fmt.Errorf("type=%s is no key that signs; write type=private or leave it out", shown(value))
		}
	case "slot-id", "slot-description", "slot-manufacturer":
		return fmt.Errorf("it names a slot (%s), and modules number slots anew; name the token with token= or serial=", name)
	default:
		return fmt.Errorf("it has the attribute %q, which this version does not know; leave it out", shown(name))
	}
	return nil
}

// query takes an attribute of the query.
func (u *KeyURI) query(name, value string) error {
	switch name {
	case "module-path":
		if !path.IsAbs(value) || value != path.Clean(value) {
			return fmt.Errorf("module-path %q is not a whole path; such a module would be looked for where others may write", value)
		}
		u.Module = value
	case "pin-source":
		// RFC 7512 §2.4: a path, or a URI of a file. A command is never run.
		u.PINSource = strings.TrimPrefix(strings.TrimPrefix(value, "file://"), "file:")
		if u.PINSource == "" || strings.HasPrefix(u.PINSource, "|") {
			return errors.New("pin-source is not a file; name one, or give --pin-file")
		}
	case "module-name":
		return errors.New("it has module-name, which would be looked for; write module-path or give --module with the module's whole path")
	default:
		return fmt.Errorf("it has the attribute %q, which this version does not know; leave it out", shown(name))
	}
	return nil
}
