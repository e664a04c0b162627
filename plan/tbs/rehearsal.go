package tbs

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"
)

// rehearsalOID marks what was made in a rehearsal. It stands in the arc that
// ISO/IEC 9834-1 keeps for examples, 2.999, so that no software will ever know
// it; and because it is critical, all of it must refuse such a certificate or
// CRL (RFC 5280 §4.2 and §5.2).
var rehearsalOID = asn1.ObjectIdentifier{2, 999, 1}

// RehearsalMark is the extension that everything of a rehearsal bears.
func RehearsalMark() (Extension, error) {
	value, err := asn1.MarshalWithParams("REHEARSAL", "utf8")
	return Extension{OID: rehearsalOID.String(), Critical: true, Value: value}, err
}

// RequestFromRehearsal reports whether a request was made in a rehearsal.
func RequestFromRehearsal(r *x509.CertificateRequest) bool {
	return slices.ContainsFunc(r.Extensions, func(e pkix.Extension) bool { return e.Id.Equal(rehearsalOID) })
}

// FromRehearsal reports whether a certificate was made in a rehearsal.
func FromRehearsal(c *x509.Certificate) bool {
	return slices.ContainsFunc(c.UnhandledCriticalExtensions, rehearsalOID.Equal)
}
