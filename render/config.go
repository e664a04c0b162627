package render

import (
	"bytes"
	"encoding/json"

	"pki.internal/spec"
)

// config is config/ca.json. Its keys are step-ca's, which ignores any that it
// does not know, so that a slip here would never be noticed there: a test
// holds every key against step-ca's schema. Keys stand in the order in which
// step-ca documents them.
type config struct {
	Root            string    `json:"root"`
	Crt             string    `json:"crt"`
	Key             string    `json:"key"`
	KMS             *kms      `json:"kms,omitempty"`
	Address         string    `json:"address"`
	InsecureAddress string    `json:"insecureAddress,omitempty"`
	DNSNames        []string  `json:"dnsNames"`
	Logger          logger    `json:"logger"`
	DB              *database `json:"db,omitempty"`
	CRL             *crl      `json:"crl,omitempty"`
	Authority       authority `json:"authority"`
	TLS             tls       `json:"tls"`
}

type logger struct {
	Format string `json:"format"`
}

type database struct {
	Type       string `json:"type"`
	DataSource string `json:"dataSource"`
	Database   string `json:"database,omitempty"`
}

type crl struct {
	Enabled          bool   `json:"enabled"`
	GenerateOnRevoke bool   `json:"generateOnRevoke"`
	CacheDuration    string `json:"cacheDuration,omitempty"`
	RenewPeriod      string `json:"renewPeriod,omitempty"`
	IDPURL           string `json:"idpURL"`
}

type authority struct {
	Provisioners []provisioner `json:"provisioners"`
	Claims       *claims       `json:"claims,omitempty"`
}

// tls takes versions as JSON numbers.
type tls struct {
	MinVersion json.Number `json:"minVersion"`
	MaxVersion json.Number `json:"maxVersion"`
}

func configOf(o *spec.OnlineCA, key signingKey, provisioners []provisioner) config {
	return config{
		Root:            rootPath,
		Crt:             intermediatePath,
		Key:             key.name,
		KMS:             key.kms,
		Address:         o.Listen,
		InsecureAddress: o.InsecureAddress,
		DNSNames:        o.DNSNames,
		Logger:          logger{Format: "json"},
		DB:              databaseOf(o.Database),
		CRL:             crlOf(o),
		Authority:       authority{Provisioners: provisioners, Claims: claimsOf(o.Claims)},
		TLS:             tls{MinVersion: "1.2", MaxVersion: "1.3"},
	}
}

func databaseOf(db *spec.Database) *database {
	if db == nil {
		return nil
	}
	return &database{Type: db.Type, DataSource: db.DataSource, Database: db.Name}
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
