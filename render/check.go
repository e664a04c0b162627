package render

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"pki.internal/plan"
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
	plainUser  = regexp.MustCompile(`^[a-z_][a-z0-9_-]{0,30}$`)
)

// Refusal says why a block cannot be rendered. Its text ends in a next step.
type Refusal struct {
	Origin    spec.Origin
	Attribute string // where it is written, "" for the whole block
	Text      string
}

// Error names the block.
func (r *Refusal) Error() string { return r.Origin.Address.String() + ": " + r.Text }

func refuse(o spec.Origin, text string, args ...any) error { return refuseAt(o, "", text, args...) }

func refuseAt(o spec.Origin, attribute, text string, args ...any) error {
	return &Refusal{Origin: o, Attribute: attribute, Text: fmt.Sprintf(text, args...)}
}

// Check says what of an estate could never be rendered, with its lines, before
// any ceremony: it needs no ledger.
func Check(e *spec.Estate) spec.Diagnostics {
	var d spec.Diagnostics
	seen := map[string]bool{}
	checkPublished(e, &d)
	checkLists(e, &d)
	for _, o := range e.OnlineCAs {
		_, keyErr := newSigningKey(o)
		_, _, provErr := provisionersOf(plan.State{}, o)
		for _, r := range refusals(errors.Join(keyErr, provErr, checkSSH(o), checkWords(e, o), checkListeners(o), checkDatabase(o), checkHSM(o))) {
			if seen[r.Error()] {
				continue // of a provisioner that several online CAs share
			}
			seen[r.Error()] = true
			d.Report(r.Origin, r.Attribute, "Online CA that cannot be rendered", "%s.", upper(r.Text))
			if slices.Contains([]string{"key", "host_key", "user_key", "decrypter_key", "data_source"}, r.Attribute) { // they may hold a PIN or a password
				d.HideLine()
			}
		}
	}
	return d.Sorted()
}

// checkLists refuses two online CAs that sign lists for one authority from two
// databases: what is revoked at one would be on one of the lists only, and
// clients hold whichever was published last for the whole (RFC 5280 §5.2.5).
func checkLists(e *spec.Estate, d *spec.Diagnostics) {
	first := map[*spec.Authority]*spec.OnlineCA{}
	for _, o := range e.OnlineCAs {
		if !signsCRL(o) || o.Registration != nil {
			continue
		}
		before := first[o.Authority]
		if before == nil {
			first[o.Authority] = o
			continue
		}
		same := before.Database.Shared() && o.Database.Shared() && before.Database.Type == o.Database.Type &&
			before.Database.DataSource == o.Database.DataSource && before.Database.Name == o.Database.Name
		if !same {
			at := o.CRL.Origin
			at.Address = o.Address
			d.Report(at, "enabled", "Two CRLs of one authority",
				"%s signs the CRL of %s as well, from another database: what one revokes would be missing from the list of the other, under the same URL. Give each an authority of its own, both one database of type postgresql or mysql, or write both as one online_ca with nodes.",
				before.Address, o.Authority.Address)
		}
	}
}

// checkSSH does for SSH what needs no ledger.
func checkSSH(o *spec.OnlineCA) error {
	if o.SSH == nil {
		return nil
	}
	sh := shell{block: &ssh{}}
	refused := []error{sh.signers(o)}
	for _, a := range o.SSH.Trusted() {
		if a.Key == nil {
			_, err := sshKeyOf(plan.State{}, a)
			refused = append(refused, err)
		}
	}
	return errors.Join(refused...)
}

// checkHSM wants a way to the key manager that the unit can open.
func checkHSM(o *spec.OnlineCA) error {
	key, err := newSigningKey(o)
	if err == nil && o.Kubernetes != nil && strings.HasPrefix(key.pin, runtimeCredentials) {
		return refuseAt(o.Origin, "key", "a pod has no credentials of systemd; write pin-source=secrets/pin, and put the PIN into the Secret")
	}
	if o.Kubernetes != nil && o.Database != nil && strings.Contains(o.Database.DataSource, runtimeCredentials) {
		at := o.Database.Origin
		at.Address = o.Address
		return refuseAt(at, "data_source", "a pod has no credentials of systemd; write passfile=secrets/pgpass, and put the passfile into the Secret")
	}
	if err != nil || o.Systemd.HSM == "" {
		return nil // said elsewhere
	}
	at := o.Systemd.Origin
	at.Address = o.Address
	if key.scheme != "pkcs11" {
		return refuseAt(at, "hsm", "hsm says how a PKCS#11 module reaches its device, and the key is not named by a pkcs11 URI; remove it")
	}
	return nil
}

// refusals takes joined errors apart.
func refusals(err error) []*Refusal {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []*Refusal
		for _, one := range joined.Unwrap() {
			all = append(all, refusals(one)...)
		}
		return all
	}
	var r *Refusal
	if errors.As(err, &r) {
		return []*Refusal{r}
	}
	return nil
}

func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// checkWords refuses names that would break out of where they are written.
func checkWords(e *spec.Estate, o *spec.OnlineCA) error {
	var refused []error
	if !plainName.MatchString(e.Name) {
		refused = append(refused, refuse(e.Origin, "%q is not a plain name; use letters, digits, dots, dashes and underscores", e.Name))
	}
	if !plainName.MatchString(o.Origin.Address.FileName()) {
		refused = append(refused, refuse(o.Origin, "%q cannot be a folder's name; use letters, digits, dots, dashes and underscores", o.Origin.Address.FileName()))
	}
	if o.Origin.Address.FileName() == SiteName {
		refused = append(refused, refuse(o.Origin, "the folder rendered/%s holds the site that publishes CRLs; give the online CA another name", SiteName))
	}
	for _, name := range o.DNSNames {
		if _, err := netip.ParseAddr(name); err != nil && !plainHost.MatchString(name) {
			refused = append(refused, refuseAt(o.Origin, "dns_names", "dns_names has %q, which is neither a host name nor an IP address; write it as \"ca.example.internal\"", name))
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
	if o.InsecureAddress != "" && !signsCRL(o) && !slices.ContainsFunc(o.Provisioners, func(p *spec.Provisioner) bool { return p.Kind == "scep" }) {
		return refuseAt(o.Origin, "insecure_address", "step-ca opens insecure_address only to serve a CRL or SCEP; add crl { enabled = true }, or remove insecure_address")
	}
	return nil
}

// checkDatabase refuses an address with a password, and a local database that
// would make the whole configuration writable for the service.
func checkDatabase(o *spec.OnlineCA) error {
	db := o.Database
	if db == nil {
		return nil
	}
	at := db.Origin
	at.Address = o.Address
	switch {
	case db.DataSource == "":
		return refuseAt(at, "data_source", "its database has no data_source; write it as \"db\"")
	case !isLocal(db):
		if passwordIn(db.DataSource) {
			return refuseAt(at, "data_source", "its data_source holds a password, and ca.json lies in Git; use a passfile, peer authentication or a socket")
		}
		return nil
	case !plainPath.MatchString(db.DataSource) || path.IsAbs(db.DataSource) || len(db.DataSource) > 255:
		return refuseAt(at, "data_source", "its data_source is not a plain path below %s; write it as \"db\"", home)
	}
	switch folder, _, _ := strings.Cut(databaseFolder(db), "/"); folder {
	case ".", "config", "certs", "templates", "secrets", "systemd":
		return refuseAt(at, "data_source", "its database would make %s writable for the service; put it into a folder of its own, such as %q", path.Join(home, folder), databaseExample(db))
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
