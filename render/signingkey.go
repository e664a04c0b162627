package render

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"pki.internal/spec"
)

// kms is ca.json's kms block: the one key manager that every key of the
// service lives in.
type kms struct {
	Type string `json:"type"`
	URI  string `json:"uri,omitempty"`
}

// signingKey is an online_ca's key, split as step-ca wants it told: a name,
// and the manager to ask for it.
type signingKey struct {
	name   string
	kms    *kms   // nil for a file
	scheme string // of a key manager's URI, "" for a file
	pin    string // file with the PIN, "" when none is needed
	role   string // "", "host" or "user" of SSH
}

// file gives the absolute path of a key file, "" for a key manager's key.
func (k signingKey) file() string {
	if k.kms != nil || k.name == "" {
		return ""
	}
	return absolute(k.name)
}

// absolute is where step-ca, running at home, finds a path.
func absolute(name string) string {
	if path.IsAbs(name) {
		return name
	}
	return path.Join(home, name)
}

// manager says which attributes of a key URI find the manager, and which the
// key in it. Others would be ignored without a word, so they are refused.
type manager struct {
	scheme  string
	finds   []string // go to kms.uri
	names   []string // stay in key
	one     []string // exactly one of these must be there
	pin     string   // attribute with the PIN's file, which must be there
	inClear []string // attributes that would put a secret into ca.json
	instead string   // what to write instead
	example string   // what a good one looks like
}

func managers() []manager {
	return []manager{{
		scheme: "pkcs11", pin: "pin-source",
		finds: []string{"module-path", "token", "serial", "slot-id", "max-sessions", "pin-source"},
		names: []string{"id", "object"}, one: []string{"token", "serial", "slot-id"},
		inClear: []string{"pin-value"}, instead: "pin-source",
		example: "pkcs11:module-path=/usr/lib/libhsm.so;token=issuing;id=01;object=issuing?pin-source=secrets/pin",
	}, {
		scheme: "yubikey", pin: "pin-source",
		finds: []string{"serial", "management-key-source", "pin-source"}, names: []string{"slot-id"}, one: []string{"slot-id"},
		inClear: []string{"pin-value", "management-key"}, instead: "pin-source and management-key-source",
		example: "yubikey:slot-id=9c?pin-source=secrets/pin",
	}, {
		scheme: "tpmkms",
		finds:  []string{"device", "storage-directory"}, names: []string{"name"}, one: []string{"name"},
		example: "tpmkms:name=issuing",
	}, {
		scheme: "awskms",
		finds:  []string{"region", "profile", "credentials-file"}, names: []string{"key-id"}, one: []string{"key-id"},
		example: "awskms:key-id=UUID;region=eu-central-1",
	}, {
		scheme: "azurekms",
		finds:  []string{"environment", "tenant-id", "client-id"}, names: []string{"name", "vault", "version", "hsm"}, one: []string{"name"},
		inClear: []string{"client-secret"}, instead: "a managed identity",
		example: "azurekms:name=issuing;vault=example",
	}}
}

// cloudKey is a key of Google's KMS, which has no attributes.
var cloudKey = regexp.MustCompile(`^(cloudkms:)?projects/[^/;?]+/locations/[^/;?]+/keyRings/[^/;?]+/cryptoKeys/[^/;?]+/cryptoKeyVersions/[0-9]+$`)

// scheme is what a key URI begins with. A single letter or a slash before the
// colon would be a path.
var scheme = regexp.MustCompile(`^([a-z][a-z0-9]+):`)

func newSigningKey(o *spec.OnlineCA) (signingKey, error) {
	if o.Registration != nil {
		return signingKey{}, nil // the key is where the other CA is
	}
	return parseSigningKey(o.Origin, "key", o.KeyPath())
}

func parseSigningKey(at spec.Origin, attribute, text string) (signingKey, error) {
	if cloudKey.MatchString(text) {
		return signingKey{name: strings.TrimPrefix(text, "cloudkms:"), kms: &kms{Type: "cloudkms"}, scheme: "cloudkms"}, nil
	}
	found := scheme.FindStringSubmatch(text)
	if found == nil {
		if !plainPath.MatchString(text) || path.Clean(text) != text || strings.HasPrefix(text, "../") {
			return signingKey{}, refuseAt(at, attribute, attribute+" is not a plain path; write it below %s, as in \"secrets/issuing.key\"", home)
		}
		if inTree(text) {
			return signingKey{}, refuseAt(at, attribute, attribute+" would be in a folder that is rendered; write it as \"secrets/%s\"", path.Base(text))
		}
		return signingKey{name: text}, nil
	}
	for _, m := range managers() {
		if m.scheme == found[1] {
			key, err := m.split(strings.TrimPrefix(text, found[0]))
			if err != nil {
				return signingKey{}, refuseAt(at, attribute, "its key %v; write it as %q", err, m.example)
			}
			return key, nil
		}
	}
	return signingKey{}, refuseAt(at, attribute, "step-ca knows no keys of the form %q; write a path, or a URI of pkcs11, yubikey, tpmkms, awskms, azurekms or cloudkms", found[0])
}

// inTree says whether a path leads into a folder that is rendered: the service
// would be given the file, and it be taken from everybody else.
func inTree(file string) bool {
	folder, _, _ := strings.Cut(strings.TrimPrefix(file, home+"/"), "/")
	return slices.Contains([]string{"config", "certs", "templates", "systemd"}, folder)
}

// attribute is one name=value of a key URI.
type attribute struct {
	name, value string
	query       bool // it stood after the question mark
}

// split sorts a URI's attributes. An error never shows a value.
func (m manager) split(rest string) (signingKey, error) {
	attributes, err := attributesOf(rest)
	if err != nil {
		return signingKey{}, err
	}
	key := signingKey{scheme: m.scheme}
	var finds, names []attribute
	ones := 0
	for _, a := range attributes {
		switch {
		case slices.Contains(m.inClear, a.name):
			return signingKey{}, fmt.Errorf("holds a secret in %s, which would stand in ca.json: use %s", a.name, m.instead)
		case slices.Contains(m.finds, a.name):
			finds = append(finds, a)
		case slices.Contains(m.names, a.name):
			names = append(names, a)
		default:
			return signingKey{}, fmt.Errorf("has the attribute %q, which step-ca would ignore", a.name)
		}
		if slices.Contains(m.one, a.name) {
			ones++
		}
		if a.name == m.pin {
			key.pin = strings.TrimPrefix(a.value, "file://")
		}
	}
	switch {
	case ones != 1:
		return signingKey{}, fmt.Errorf("has %d of %s, and step-ca wants exactly one", ones, strings.Join(m.one, ", "))
	case len(names) == 0:
		return signingKey{}, fmt.Errorf("does not say which key, with %s", strings.Join(m.names, " or "))
	case m.pin != "" && !plainPath.MatchString(key.pin):
		return signingKey{}, fmt.Errorf("does not say in which file the PIN is, with %s", m.pin)
	case inTree(key.pin):
		return signingKey{}, fmt.Errorf("has the PIN in a folder that is rendered")
	}
	key.name, key.kms = m.join(names), &kms{Type: m.scheme}
	if len(finds) > 0 {
		key.kms.URI = m.join(finds)
	}
	return key, nil
}

func attributesOf(rest string) ([]attribute, error) {
	var list []attribute
	body, query, _ := strings.Cut(rest, "?")
	for i, part := range []string{body, query} {
		for _, one := range strings.FieldsFunc(part, func(r rune) bool { return r == ';' || (i == 1 && r == '&') }) {
			name, value, found := strings.Cut(one, "=")
			if !found || value == "" || !plainValue.MatchString(value) {
				return nil, fmt.Errorf("has an attribute %q without a plain value", name)
			}
			if slices.ContainsFunc(list, func(a attribute) bool { return a.name == name }) {
				return nil, fmt.Errorf("has the attribute %q twice", name)
			}
			list = append(list, attribute{name: name, value: value, query: i == 1})
		}
	}
	return list, nil
}

func (m manager) join(attributes []attribute) string {
	var body, query []string
	for _, a := range attributes {
		if a.query {
			query = append(query, a.name+"="+a.value)
		} else {
			body = append(body, a.name+"="+a.value)
		}
	}
	uri := m.scheme + ":" + strings.Join(body, ";")
	if len(query) > 0 {
		uri += "?" + strings.Join(query, "&")
	}
	return uri
}
