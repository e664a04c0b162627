package plan

import (
	"crypto/x509"
	"time"

	"pki.internal/plan/tbs"
	"pki.internal/spec"
)

// RevokedBy lists what an estate revokes of the certificates that an authority
// issued, by ascending serial number, for a CRL that is signed outside
// ceremonies. It is what a plan at that moment would list.
func RevokedBy(e *spec.Estate, s State, a *spec.Authority, at time.Time) ([]tbs.Entry, spec.Diagnostics) {
	m := &maker{estate: e, state: s, in: Inputs{At: at}, materials: map[spec.Address]*material{}}
	for _, have := range s.Authorities() {
		if c, err := x509.ParseCertificate(have.Certificate); err == nil {
			m.materials[have.Address] = &material{ref: refOf(have), spki: c.RawSubjectPublicKeyInfo, certificate: c}
		}
	}
	m.findRevocations()
	return m.entries(a), m.diags.Sorted()
}
