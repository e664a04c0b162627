package lint

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"io"
	"math/big"
	"slices"
	"time"

	"pki.internal/lint/crlwalk"
)

// CRLStream is a revocation list under judgement that is too long to hold,
// before it is signed.
type CRLStream struct {
	// TBS gives the to-be-signed bytes, once.
	TBS io.Reader
	// Issuer is the DER of the certificate of the list's issuer.
	Issuer []byte
	// NextSigning is when the next list is planned to be signed; zero when
	// unknown.
	NextSigning time.Time
}

// sampled is how many entries of a stream every lint of the profile sees. The
// others are held against the rules for entries alone, and the one with the
// earliest date against both.
const sampled = 64

// ClearCRLStream is [Linter.ClearCRL] for a list of any length. It reads the
// bytes once: every entry is judged, and the proof is the digest of exactly
// the bytes that were read. All lints see the list with its first entries.
// What a list must keep of the one before is for the caller to compare.
func (l *Linter) ClearCRLStream(c CRLStream, object string, p Policy, now time.Time) (Cleared, []Finding, error) {
	issuer, err := x509.ParseCertificate(c.Issuer)
	if err != nil {
		return Cleared{}, nil, fmt.Errorf("the issuer's certificate: %w", err)
	}
	s := &streamed{latest: -1 << 62}
	list, err := crlwalk.WalkTBS(c.TBS, s.see)
	if err != nil {
		return Cleared{}, nil, err
	}
	sample, err := s.draft(list, issuer)
	if err != nil {
		return Cleared{}, nil, err
	}
	findings := l.CRL(CRL{DER: sample, Draft: true, Issuer: c.Issuer, NextSigning: c.NextSigning}, now)
	findings = append(findings, s.findings(l, list)...)
	judged, pass := p.Judge(object, findings, now)
	if !pass {
		return Cleared{}, judged, &Refused{Object: object, Findings: judged}
	}
	digest, hash := list.Digest()
	if hash == 0 {
		return Cleared{tbs: digest, kind: ObjectCRL}, judged, nil
	}
	return Cleared{digest: digest, hash: hash, kind: ObjectCRL}, judged, nil
}

// streamed is what is kept of the entries that went by.
type streamed struct {
	sample   []pkix.RevokedCertificate
	latest   int64 // date of revocation
	earliest crlwalk.Entry
	sampled  bool // the earliest is in the sample
	held     int
}

func (s *streamed) see(e *crlwalk.Entry) error {
	s.latest = max(s.latest, e.Date)
	if e.Reason == reasonCertificateHold {
		s.held++
	}
	fits := len(s.sample) < sampled && e.Faults == 0
	if s.earliest.Serial == nil || e.Date < s.earliest.Date {
		s.earliest = crlwalk.Entry{Serial: append(s.earliest.Serial[:0], e.Serial...), Date: e.Date, Reason: e.Reason}
		s.sampled = fits
	}
	if !fits {
		return nil
	}
	return s.keep(e)
}

// keep puts an entry into the sample.
func (s *streamed) keep(e *crlwalk.Entry) error {
	entry := pkix.RevokedCertificate{SerialNumber: new(big.Int).SetBytes(e.Serial), RevocationTime: time.Unix(e.Date, 0).UTC()}
	if e.Reason != 0 {
		value, err := asn1.Marshal(asn1.Enumerated(e.Reason))
		if err != nil {
			return err
		}
		entry.Extensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 21}, Value: value}}
	}
	s.sample = append(s.sample, entry)
	return nil
}

// draft makes a list of everything but the entries that were not sampled, with
// a stand-in for the signature.
func (s *streamed) draft(list *crlwalk.List, issuer *x509.Certificate) ([]byte, error) {
	// A date before X.509 is in any place; the rest of the list comes later.
	if list.Entries > 0 && !s.sampled && list.Faults == 0 {
		if err := s.keep(&s.earliest); err != nil {
			return nil, err
		}
	}
	signed, err := asn1.Marshal(struct {
		Version    int
		Signature  asn1.RawValue
		Issuer     asn1.RawValue
		ThisUpdate time.Time
		NextUpdate time.Time                 `asn1:"optional"`
		Revoked    []pkix.RevokedCertificate `asn1:"optional,omitempty"`
		Extensions []pkix.Extension          `asn1:"explicit,tag:0,optional,omitempty"`
	}{
		list.Version - 1, asn1.RawValue{FullBytes: list.Algorithm}, asn1.RawValue{FullBytes: list.Issuer},
		list.ThisUpdate, list.NextUpdate, s.sample, list.Extensions,
	})
	if err != nil {
		return nil, err
	}
	stand := make([]byte, max(standInLength(true, issuer), 64))
	return asn1.Marshal(struct {
		TBS       asn1.RawValue
		Algorithm asn1.RawValue
		Signature asn1.BitString
	}{asn1.RawValue{FullBytes: signed}, asn1.RawValue{FullBytes: list.Algorithm}, asn1.BitString{Bytes: stand, BitLength: 8 * len(stand)}})
}

// findings judges what only the whole list shows.
func (s *streamed) findings(l *Linter, list *crlwalk.List) []Finding {
	var findings []Finding
	for _, word := range list.Faults.Words() {
		findings = append(findings, l.rule(idEntryMalformed).finding(word))
	}
	if !list.Sorted {
		findings = append(findings, l.rule(idEntryDoubled).finding("the serial numbers do not ascend, or one stands twice"))
	}
	if list.Entries > 0 && s.latest > list.ThisUpdate.Unix() {
		findings = append(findings, l.rule(idEntryFuture).finding(fmt.Sprintf("a certificate is revoked on %s, and the list is of %s",
			date(time.Unix(s.latest, 0)), date(list.ThisUpdate))))
	}
	if s.held > 0 && onlyCA(list) {
		findings = append(findings, l.rule(idHoldOnCA).finding(fmt.Sprintf("%d entries are on hold, in a list that covers authorities only", s.held)))
	}
	return findings
}

func onlyCA(list *crlwalk.List) bool {
	c := revocationList{RevocationList: &x509.RevocationList{Extensions: list.Extensions}}
	return c.onlyCACerts()
}

// rule is one of our rules, by its id.
func (l *Linter) rule(id string) Rule {
	return l.rules[slices.IndexFunc(l.rules, func(r Rule) bool { return r.ID == id })]
}
