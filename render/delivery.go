package render

import (
	"strings"

	"pki.internal/spec"
)

// Password is one that the host of an online CA needs, for a key that a ceremony
// makes. It never stands in a tree.
type Password struct {
	// Name is the credential's, as the unit calls it.
	Name string
	// From is where the unit looks for it on the host.
	From string
	// Encrypted says that it lies there encrypted by systemd-creds.
	Encrypted bool
	// Store is the key store that the same password opens.
	Store *spec.KeyStore
}

// Passwords are those that an online CA's host needs for the keys that the
// estate makes in files. A key that lives elsewhere has its password there.
func Passwords(o *spec.OnlineCA) []Password {
	var all []Password
	add := func(prefix string, store *spec.KeyStore) {
		if store == nil || store.Kind != spec.FileStore {
			return
		}
		c := (&host{Encrypted: o.Systemd.EncryptedCredentials}).credential(prefix+"password", "", "")
		all = append(all, Password{Name: c.Name, From: c.From, Encrypted: o.Systemd.EncryptedCredentials, Store: store})
	}
	if o.Authority != nil && o.Authority.Key != nil && o.Key == "" && o.Registration == nil {
		add("", o.Authority.Key.Store)
	}
	if o.SSH == nil {
		return all
	}
	if a := o.SSH.Host; a != nil && a.Key != nil && o.SSH.HostKey == "" {
		add("ssh-host-", a.Key.Store)
	}
	if a := o.SSH.User; a != nil && a.Key != nil && o.SSH.UserKey == "" {
		add("ssh-user-", a.Key.Store)
	}
	return all
}

// Unpack is the command that puts a password from an age file into its place on
// the host. It goes from one program to the next, and onto no disk in clear
// text unless the unit reads it so.
func (p Password) Unpack(file string) string {
	open := "age -d -i OPERATOR.key " + quoteWord(file) + " | "
	if p.Encrypted {
		return open + "systemd-creds encrypt --name=" + p.Name + " - " + p.From
	}
	return open + "install -m 0400 -o root /dev/stdin " + p.From
}

// quoteWord quotes a word for sh.
func quoteWord(word string) string {
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
