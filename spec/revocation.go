package spec

import (
	"strings"
	"time"
)

// Revocation is one certificate that an authority takes back. It stays in the
// estate as long as the certificate would count: a revocation is not undone.
type Revocation struct {
	Origin
	Path      string     // of the certificate, relative to the estate's folder
	DER       []byte     // the certificate; nil when only the serial is given
	Serial    string     // lower-case hex, when there is no certificate
	Authority *Authority // that issued it; nil when the certificate says so
	Reason    string
	Date      string // RFC 3339
}

// When gives the date of revocation, in whole seconds of UTC.
func (r *Revocation) When() (time.Time, error) {
	t, err := time.Parse(time.RFC3339, r.Date)
	return t.UTC().Truncate(time.Second), err
}

func (r *Revocation) validate(d *Diagnostics) {
	switch {
	case r.Path != "" && r.Serial != "":
		d.Report(r.Origin, "serial", "Two names for one certificate", "A revocation names the certificate's file or its serial number, not both. Remove one of them.")
	case r.Path == "" && r.Serial == "":
		d.Report(r.Origin, "", "Revocation of nothing", "Nothing says which certificate is revoked. Write certificate = \"certs/old.crt\", or serial and authority.")
	case r.Serial != "" && r.Authority == nil:
		d.Report(r.Origin, "serial", "Serial number without an authority", "A serial number means something only together with who issued it. Add authority = authority.NAME.")
	}
	if r.Path != "" {
		localPath(d, r.Origin, "certificate", r.Path)
	}
	if r.Serial != "" && (strings.Trim(r.Serial, "0123456789abcdef") != "" || strings.Trim(r.Serial, "0") == "" || len(r.Serial) > 40) {
		d.Report(r.Origin, "serial", "Not a serial number", "%q is not a positive number of at most 40 digits in lower-case hexadecimal. Copy it from pki show FILE.", r.Serial)
	}
	reason, err := ParseReason(r.Reason)
	switch {
	case err != nil:
		d.Report(r.Origin, "reason", "Unknown reason", "%s.", err)
	case reason == RemoveFromCRL, reason == CertificateHold, reason == Unspecified:
		// CA/Browser Forum BR §7.2.2 for CA certificates; for others a hold is
		// the business of whoever signs a list every day.
		d.Report(r.Origin, "reason", "Reason that does not last", "%q is not a reason for a revocation that a ceremony signs. Write %s.", r.Reason, strings.Join(lasting(), ", "))
	}
	if _, err := r.When(); err != nil {
		d.Report(r.Origin, "date", "Not a date", "%q is not a date. Write it as 2026-12-01T09:00:00Z.", r.Date)
	}
}
