package lint

import (
	"bytes"
	"encoding/asn1"
	"time"
)

// ClearOCSP is [Linter.ClearCertificate] for an OCSP response: the proof holds
// its ResponseData. The signature may be a stand-in.
func (l *Linter) ClearOCSP(r OCSPResponse, object string, p Policy, now time.Time) (Cleared, []Finding, error) {
	r.DER = bytes.Clone(r.DER)
	judged, pass := p.Judge(object, l.OCSP(r, now), now)
	data, err := responseData(r.DER)
	if !pass || err != nil {
		return Cleared{}, judged, &Refused{Object: object, Findings: judged}
	}
	return Cleared{tbs: data, kind: ObjectOCSP}, judged, nil
}

// responseData gives the to-be-signed bytes of a response that readOCSP reads.
func responseData(der []byte) ([]byte, error) {
	if _, err := readOCSP(der); err != nil {
		return nil, err
	}
	var outer struct {
		Status asn1.Enumerated
		Bytes  struct {
			Type asn1.ObjectIdentifier
			Data []byte
		} `asn1:"explicit,optional,tag:0"`
	}
	if _, err := asn1.Unmarshal(der, &outer); err != nil {
		return nil, err
	}
	var sequence, data asn1.RawValue
	if _, err := asn1.Unmarshal(outer.Bytes.Data, &sequence); err != nil {
		return nil, err
	}
	if _, err := asn1.Unmarshal(sequence.Bytes, &data); err != nil {
		return nil, err
	}
	return bytes.Clone(data.FullBytes), nil
}
