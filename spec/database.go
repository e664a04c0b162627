package spec

import (
	"net/url"
	"path"
	"regexp"
	"strings"
)

// Database is step-ca's db block.
type Database struct {
	Origin
	Type       string // badgerv2, bbolt, mysql, postgresql
	DataSource string
	Name       string // mysql, postgresql
	ValueDir   string // badgerv2: where values go, when not beside the keys
	FileIO     bool   // badgerv2: less memory, for small devices
}

// Shared reports whether several nodes may use the database at once.
func (db *Database) Shared() bool {
	return db != nil && (db.Type == "mysql" || db.Type == "postgresql")
}

// How the drivers of step-ca want an address: MySQL's as
// user@protocol(address)/?options, PostgreSQL's as a URL or in words of libpq.
var (
	mysqlAddress    = regexp.MustCompile(`^([^@/]+@)?((tcp|tcp6|unix)(\([^()]+\))?)?/([A-Za-z0-9_-]*)(\?[^?]*)?$`)
	postgresURL     = regexp.MustCompile(`^postgres(ql)?://`)
	postgresWords   = regexp.MustCompile(`^\s*([a-z_]+\s*=\s*('[^']*'|[^\s']*)\s*)+$`)
	nameOfDatabase  = regexp.MustCompile(`^[A-Za-z0-9_-]{1,63}$`) // PostgreSQL cuts at 63, MySQL at 64
	secretOfAddress = regexp.MustCompile(`(?i)(^|[\s?&])sslpassword\s*=`)
)

func (o *OnlineCA) validateDatabase(d *Diagnostics) {
	db := o.Database
	if db == nil {
		return
	}
	switch db.Type {
	case "badgerv2", "bbolt":
		if path.IsAbs(db.DataSource) || strings.Contains(db.DataSource, "..") || path.IsAbs(db.ValueDir) || strings.Contains(db.ValueDir, "..") {
			d.Report(db.Origin, "data_source", "Database outside the service's folder",
				"The unit may write to its own folder only. Write a path relative to /etc/step-ca, such as \"db\".")
		}
		if db.Name != "" {
			d.Report(db.Origin, "name", "Argument of another database", "A name is for mysql and postgresql; step-ca would ignore it. Remove it.")
		}
	case "mysql", "postgresql":
		db.validateServer(d)
	default:
		d.Report(db.Origin, "type", "Unknown type of database", "%q is not a database that step-ca opens. Use badgerv2, bbolt, mysql or postgresql.", db.Type)
	}
	if db.Type != "badgerv2" && (db.ValueDir != "" || db.FileIO) {
		d.Report(db.Origin, "value_dir", "Argument of another database", "value_dir and file_io are for badgerv2. Remove them.")
	}
}

// validateServer reads the address as the driver does, which would end step-ca at
// its start, and names as nosql puts them into its statements.
func (db *Database) validateServer(d *Diagnostics) {
	if u, err := url.Parse(db.DataSource); err == nil && u.User != nil {
		if _, has := u.User.Password(); has {
			d.Report(db.Origin, "data_source", "Password in the database address",
				"The address is rendered into ca.json, which lies in Git. Leave the password out and use a passfile or peer authentication.")
			d.HideLine()
			return
		}
	}
	if secretOfAddress.MatchString(db.DataSource) {
		d.Report(db.Origin, "data_source", "Password in the database address",
			"sslpassword would stand in ca.json, which lies in Git. Keep the client's key in a file that the service alone reads, without a password.")
		d.HideLine()
		return
	}
	found := mysqlAddress.FindStringSubmatch(db.DataSource)
	switch {
	case db.DataSource == "":
		return // reported where it is rendered
	case db.Type == "mysql" && found == nil:
		d.Report(db.Origin, "data_source", "Not an address of MySQL",
			"step-ca's driver wants user@protocol(address)/ and would refuse this at the start. Write it as \"step@unix(/run/mysqld/mysqld.sock)/\".")
	case db.Type == "mysql" && db.Name == "" && found[5] == "":
		d.Report(db.Origin, "name", "Database without a name", "step-ca makes the database in MySQL by its name, and ends without one. Write name = \"step_ca\".")
	case db.Type == "postgresql" && !postgresURL.MatchString(db.DataSource) && !postgresWords.MatchString(db.DataSource):
		d.Report(db.Origin, "data_source", "Not an address of PostgreSQL",
			"step-ca's driver wants a URL or words of libpq and would refuse this at the start. Write it as \"postgresql://step@db.example.internal/\".")
	}
	if db.Name != "" && !nameOfDatabase.MatchString(db.Name) {
		d.Report(db.Origin, "name", "Not a database's name", "%q is not of letters, digits, dashes and underscores, or is longer than 63 of them. Write it as \"step_ca\".", db.Name)
	}
}
