package lint

import (
	"bytes"
	"crypto/x509"
	"slices"
	"time"
)

// ClearCSR is [Linter.ClearCertificate] for a signing request of ours, given
// as a draft: whether its own key has signed it is seen afterwards.
func (l *Linter) ClearCSR(draft []byte, object string, p Policy, now time.Time) (Cleared, []Finding, error) {
	draft = bytes.Clone(draft)
	judged, pass := p.Judge(object, l.DraftCSR(draft), now)
	request, err := x509.ParseCertificateRequest(draft)
	if !pass || err != nil {
		return Cleared{}, judged, &Refused{Object: object, Findings: judged}
	}
	return Cleared{tbs: bytes.Clone(request.RawTBSCertificateRequest), kind: ObjectCSR}, judged, nil
}

// DraftCSR judges a signing request that its key has not signed yet.
func (l *Linter) DraftCSR(draft []byte) []Finding {
	return slices.DeleteFunc(l.CSR(draft), func(f Finding) bool { return f.Lint == "e_csr_signature_invalid" })
}
