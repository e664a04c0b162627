package lint

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"fmt"
	"time"
)

// Cleared is the proof that to-be-signed bytes were judged and passed. Only
// [Linter.ClearCertificate] and [Linter.ClearCRL] make one that holds bytes,
// and [Linter.ClearCRLStream] one that holds their digest; the zero value
// holds neither.
type Cleared struct {
	tbs    []byte
	kind   string
	digest []byte
	hash   crypto.Hash
}

// Digest is the hash of the to-be-signed bytes of a list that was too long to
// hold, and which hash it is. It is nil where TBS has the bytes themselves.
func (c Cleared) Digest() ([]byte, crypto.Hash) { return bytes.Clone(c.digest), c.hash }

// TBS is a copy of the to-be-signed bytes of exactly the object that was
// judged. It is nil for the zero value.
func (c Cleared) TBS() []byte { return bytes.Clone(c.tbs) }

// Kind is [ObjectCertificate] or [ObjectCRL], and empty for the zero value.
func (c Cleared) Kind() string { return c.kind }

// Refused is the error for an object that did not pass.
type Refused struct {
	// Object is the address of the object.
	Object string
	// Findings are all findings, judged and sorted, those that are waived
	// included.
	Findings []Finding
}

// Error names the worst finding that is not waived and counts the others.
func (r *Refused) Error() string {
	var open []Finding
	for _, f := range r.Findings {
		if f.Waived == "" {
			open = append(open, f)
		}
	}
	if len(open) == 0 {
		return fmt.Sprintf("lint refuses %s: it cannot be read, and no waiver helps an object that cannot be read", r.Object)
	}
	text := fmt.Sprintf("lint refuses %s: %s: %s", r.Object, open[0].Lint, open[0].Detail)
	if open[0].Advice != "" {
		text += "; " + open[0].Advice
	}
	if n := len(open) - 1; n > 0 {
		text += fmt.Sprintf(" (and %d more)", n)
	}
	return text
}

// ClearCertificate lints c, judges the findings under p, and returns the proof
// that c passed together with everything that was found. Where c does not pass
// the error is a [*Refused] and the proof is empty. A certificate that Go
// cannot parse is never cleared, whatever is waived.
func (l *Linter) ClearCertificate(c Certificate, object string, p Policy, now time.Time) (Cleared, []Finding, error) {
	c.DER = bytes.Clone(c.DER)
	judged, pass := p.Judge(object, l.Certificate(c, now), now)
	cert, err := x509.ParseCertificate(c.DER)
	if !pass || err != nil {
		return Cleared{}, judged, &Refused{Object: object, Findings: judged}
	}
	return Cleared{tbs: bytes.Clone(cert.RawTBSCertificate), kind: ObjectCertificate}, judged, nil
}

// ClearCRL is [Linter.ClearCertificate] for a revocation list.
func (l *Linter) ClearCRL(c CRL, object string, p Policy, now time.Time) (Cleared, []Finding, error) {
	c.DER = bytes.Clone(c.DER)
	judged, pass := p.Judge(object, l.CRL(c, now), now)
	crl, err := x509.ParseRevocationList(c.DER)
	if !pass || err != nil {
		return Cleared{}, judged, &Refused{Object: object, Findings: judged}
	}
	return Cleared{tbs: bytes.Clone(crl.RawTBSRevocationList), kind: ObjectCRL}, judged, nil
}
