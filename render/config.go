package render

import (
	"bytes"
	"cmp"
	"encoding/json"

	"pki.internal/plan"
	"pki.internal/spec"
)

// config is config/ca.json. Its keys are step-ca's, which ignores any that it
// does not know, so that a slip here would never be noticed there: a test
// holds every key against step-ca's schema. Keys stand in the order in which
// step-ca documents them.
type config struct {
	Root            rootPaths     `json:"root,omitempty"`
	FederatedRoots  []string      `json:"federatedRoots,omitempty"`
	Crt             string        `json:"crt,omitempty"`
	Key             string        `json:"key,omitempty"`
	KMS             *kms          `json:"kms,omitempty"`
	SSH             *ssh          `json:"ssh,omitempty"`
	Address         string        `json:"address"`
	InsecureAddress string        `json:"insecureAddress,omitempty"`
	MetricsAddress  string        `json:"metricsAddress,omitempty"`
	DNSNames        []string      `json:"dnsNames"`
	CommonName      string        `json:"commonName,omitempty"`
	Logger          logger        `json:"logger"`
	DB              *database     `json:"db,omitempty"`
	CRL             *crl          `json:"crl,omitempty"`
	Authority       authority     `json:"authority"`
	TLS             tls           `json:"tls"`
	Templates       *sshTemplates `json:"templates,omitempty"`
}

// rootPaths is a string where there is one root, as people know it, and a list
// during a rotation.
type rootPaths []string

// MarshalJSON writes one path as a string.
func (r rootPaths) MarshalJSON() ([]byte, error) {
	if len(r) == 1 {
		return json.Marshal(r[0])
	}
	return json.Marshal([]string(r))
}

type logger struct {
	Format      string `json:"format"`
	TraceHeader string `json:"traceHeader,omitempty"`
}

type database struct {
	Type                  string `json:"type"`
	DataSource            string `json:"dataSource"`
	ValueDir              string `json:"valueDir,omitempty"`
	Database              string `json:"database,omitempty"`
	BadgerFileLoadingMode string `json:"badgerFileLoadingMode,omitempty"`
}

type crl struct {
	Enabled          bool   `json:"enabled"`
	GenerateOnRevoke bool   `json:"generateOnRevoke"`
	CacheDuration    string `json:"cacheDuration,omitempty"`
	RenewPeriod      string `json:"renewPeriod,omitempty"`
	IDPURL           string `json:"idpURL"`
}

type authority struct {
	registration
	Provisioners         []provisioner `json:"provisioners"`
	Template             *leafSubject  `json:"template,omitempty"`
	Claims               *claims       `json:"claims,omitempty"`
	Policy               *policy       `json:"policy,omitempty"`
	DisableIssuedAtCheck bool          `json:"disableIssuedAtCheck,omitempty"`
	Backdate             string        `json:"backdate,omitempty"`
	DisableGetSSHHosts   bool          `json:"disableGetSSHHosts,omitempty"`
}

type leafSubject struct {
	Country            string `json:"country,omitempty"`
	Organization       string `json:"organization,omitempty"`
	OrganizationalUnit string `json:"organizationalUnit,omitempty"`
	Locality           string `json:"locality,omitempty"`
	Province           string `json:"province,omitempty"`
	StreetAddress      string `json:"streetAddress,omitempty"`
}

// tls takes versions as JSON numbers.
type tls struct {
	CipherSuites []string    `json:"cipherSuites,omitempty"`
	MinVersion   json.Number `json:"minVersion"`
	MaxVersion   json.Number `json:"maxVersion"`
}

func configOf(s plan.State, o *spec.OnlineCA, key signingKey, sh shell, provisioners []provisioner) config {
	c := config{
		KMS:             key.kms,
		SSH:             sh.block,
		Templates:       sh.templates,
		Address:         o.Listen,
		InsecureAddress: o.InsecureAddress,
		MetricsAddress:  o.MetricsAddress,
		DNSNames:        o.DNSNames,
		CommonName:      o.CommonName,
		Logger:          loggerOf(o.Logger),
		DB:              databaseOf(o.Database),
		CRL:             crlOf(o),
		TLS:             tlsOf(o.TLS),
		Authority: authority{
			registration: registrationOf(s, o), Provisioners: provisioners, Template: leafSubjectOf(o.LeafSubject),
			Claims: claimsOf(o.Claims), Policy: policyOf(o.Policy),
			DisableIssuedAtCheck: o.DisableIssuedAtCheck, Backdate: span(o.Backdate), DisableGetSSHHosts: o.DisableSSHHostListing,
		},
	}
	roots, federated := trustPaths(o)
	c.FederatedRoots = federated
	if o.Registration == nil { // a registration authority learns all three from its CA
		c.Root, c.Crt, c.Key = roots, intermediatePath, key.name
	}
	return c
}

func loggerOf(l *spec.Logger) logger {
	if l == nil {
		return logger{Format: "json"}
	}
	return logger{Format: l.Format, TraceHeader: l.TraceHeader}
}

func databaseOf(db *spec.Database) *database {
	if db == nil {
		return nil
	}
	rendered := &database{Type: db.Type, DataSource: db.DataSource, ValueDir: db.ValueDir, Database: db.Name}
	if db.FileIO {
		rendered.BadgerFileLoadingMode = "FileIO"
	}
	return rendered
}

func tlsOf(t *spec.TLS) tls {
	if t == nil {
		t = &spec.TLS{}
	}
	return tls{
		CipherSuites: t.CipherSuites,
		MinVersion:   json.Number(cmp.Or(t.MinVersion, "1.2")), MaxVersion: json.Number(cmp.Or(t.MaxVersion, "1.3")),
	}
}

func leafSubjectOf(s *spec.LeafSubject) *leafSubject {
	if s == nil {
		return nil
	}
	return &leafSubject{
		Country: s.Country, Organization: s.Organization, OrganizationalUnit: s.OrganizationalUnit,
		Locality: s.Locality, Province: s.Province, StreetAddress: s.StreetAddress,
	}
}

// crlOf takes the issuing distribution point from where leaves take their CRL
// distribution point. RFC 5280 §6.3.3 (b)(2)(i): if they differ, the CRL does
// not cover the certificate.
func crlOf(o *spec.OnlineCA) *crl {
	if !signsCRL(o) {
		return nil
	}
	return &crl{
		Enabled:          true,
		GenerateOnRevoke: o.CRL.GenerateOnRevoke,
		CacheDuration:    span(o.CRL.CacheDuration),
		RenewPeriod:      span(o.CRL.RenewPeriod),
		IDPURL:           o.Authority.CRL.URLs[0],
	}
}

func signsCRL(o *spec.OnlineCA) bool { return o.CRL != nil && o.CRL.Enabled }

// encode writes JSON as people read it: indented, with < > & as they are.
func encode(v any) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(v)
	return text.Bytes(), err
}
