package render

import (
	"errors"
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"strings"

	"pki.internal/spec"
)

// What may stand in a unit, a URL, a file's name or a command that an operator
// copies. Whatever is wider is refused, so that nothing has to be quoted:
// systemd, shells and JSON each quote in another way.
var (
	plainName  = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]*$`)
	plainPath  = regexp.MustCompile(`^/?[A-Za-z0-9_][A-Za-z0-9._@+-]*(/[A-Za-z0-9_][A-Za-z0-9._@+-]*)*$`)
	plainValue = regexp.MustCompile(`^[A-Za-z0-9._@+%:/ -]+$`)
	plainHost  = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$`)
	plainUser  = regexp.MustCompile(`^[a-z_][a-z0-9_-]*$`)
)

// checkWords refuses names that would break out of where they are written.
func checkWords(e *spec.Estate, o *spec.OnlineCA) error {
	var refused []error
	if !plainName.MatchString(e.Name) {
		refused = append(refused, refuse(e.Origin, "%q is not a plain name; use letters, digits, dots, dashes and underscores", e.Name))
	}
	if !plainName.MatchString(o.Origin.Address.FileName()) {
		refused = append(refused, refuse(o.Origin, "%q cannot be a folder's name; use letters, digits, dots, dashes and underscores", o.Origin.Address.FileName()))
	}
	for _, name := range o.DNSNames {
		if _, err := netip.ParseAddr(name); err != nil && !plainHost.MatchString(name) {
			refused = append(refused, refuse(o.Origin, "dns_names has %q, which is neither a host name nor an IP address; write it as \"ca.example.internal\"", name))
		}
	}
	if !plainUser.MatchString(userOf(o)) {
		refused = append(refused, refuse(o.Origin, "%q is not a system user's name; write it as \"step\"", userOf(o)))
	}
	if binary := binaryOf(o); !path.IsAbs(binary) || !plainPath.MatchString(binary) {
		refused = append(refused, refuse(o.Origin, "%q is not the plain path of a binary; write it as \"/usr/bin/step-ca\"", binary))
	}
	return errors.Join(refused...)
}

// checkListeners refuses an address that step-ca would never open.
func checkListeners(o *spec.OnlineCA) error {
	if o.InsecureAddress != "" && !signsCRL(o) {
		return refuse(o.Origin, "step-ca opens insecure_address only to serve a CRL; add crl { enabled = true }, or remove insecure_address")
	}
	return nil
}

// checkDatabase refuses an address with a password, and a local database that
// would make the whole configuration writable for the service.
func checkDatabase(o *spec.OnlineCA) error {
	db := o.Database
	switch {
	case db == nil:
		return nil
	case db.DataSource == "":
		return refuse(o.Origin, "its database has no data_source; write it as \"db\"")
	case !isLocal(db):
		if passwordIn(db.DataSource) {
			return refuse(o.Origin, "its data_source holds a password, and ca.json lies in Git; use a passfile, peer authentication or a socket")
		}
		return nil
	case !plainPath.MatchString(db.DataSource) || path.IsAbs(db.DataSource):
		return refuse(o.Origin, "its data_source is not a plain path below %s; write it as \"db\"", home)
	}
	switch folder, _, _ := strings.Cut(databaseFolder(db), "/"); folder {
	case ".", "config", "certs", "templates", "secrets", "systemd":
		return refuse(o.Origin, "its database would make %s writable for the service; put it into a folder of its own, such as %q", path.Join(home, folder), databaseExample(db))
	}
	return nil
}

func isLocal(db *spec.Database) bool {
	return db != nil && (db.Type == "badgerv2" || db.Type == "bbolt")
}

// databaseFolder is the folder that a local database writes to: badger's is a
// folder, bbolt's a file in one.
func databaseFolder(db *spec.Database) string {
	if db.Type == "bbolt" {
		return path.Dir(db.DataSource)
	}
	return db.DataSource
}

func databaseExample(db *spec.Database) string {
	if db.Type == "bbolt" {
		return "db/ca.db"
	}
	return "db"
}

// passwordWord is how libpq's words, and most drivers' queries, name one.
var passwordWord = regexp.MustCompile(`(?i)(^|[\s?&])password\s*=`)

// passwordIn knows the three forms of an address: a URL, libpq's words, and
// MySQL's user:password@protocol(host)/.
func passwordIn(source string) bool {
	if u, err := url.Parse(source); err == nil {
		if _, has := u.User.Password(); has || u.Query().Has("password") {
			return true
		}
	}
	beforeHost, _, found := strings.Cut(source, "@")
	return passwordWord.MatchString(source) || found && !strings.Contains(beforeHost, "//") && strings.Contains(beforeHost, ":")
}
