package lint

import (
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"time"
)

// OCSPResponse is an OCSP response under judgement.
type OCSPResponse struct {
	// DER is a complete response.
	DER []byte
	// Responder is the DER of the certificate of whoever signed it; nil when
	// unknown.
	Responder []byte
	// Longest is how long a response may count; zero is a year, which is what
	// the status of authorities may take.
	Longest time.Duration
}

// ocspResponse is what a rule sees of a response.
type ocspResponse struct {
	given     OCSPResponse
	answers   []ocspAnswer
	responder *x509.Certificate
}

// ocspAnswer is the answer for one certificate. The end is zero where the
// response has none.
type ocspAnswer struct{ this, next time.Time }

// OCSP judges an OCSP response. When the clock is zero, rules about time do not
// apply. The findings are sorted.
func (l *Linter) OCSP(r OCSPResponse, now time.Time) []Finding {
	answers, err := readOCSP(r.DER)
	if err != nil {
		return []Finding{unparsable().finding(fmt.Sprintf("the OCSP response cannot be read: %v", err))}
	}
	responder, findings := readKnown(r.Responder, "the responder's certificate")
	o := &object{now: now, ocsp: &ocspResponse{given: r, answers: answers, responder: responder}}
	findings = append(findings, l.z.response(r.DER, now)...)
	findings = append(findings, l.run(ObjectOCSP, o)...)
	sortFindings(findings)
	return findings
}

// IsOCSP says whether DER is an OCSP response with answers.
func IsOCSP(der []byte) bool {
	_, err := readOCSP(der)
	return err == nil
}

// readOCSP reads the answers of a basic response (RFC 6960 §4.2.1).
func readOCSP(der []byte) ([]ocspAnswer, error) {
	var outer struct {
		Status asn1.Enumerated
		Bytes  struct {
			Type asn1.ObjectIdentifier
			Data []byte
		} `asn1:"explicit,optional,tag:0"`
	}
	if rest, err := asn1.Unmarshal(der, &outer); err != nil || len(rest) > 0 {
		return nil, errors.Join(errors.New("it is no OCSP response"), err)
	}
	const basic = "1.3.6.1.5.5.7.48.1.1"
	if outer.Status != 0 || outer.Bytes.Type.String() != basic {
		return nil, fmt.Errorf("it has status %d and type %q: there is no answer in it", outer.Status, outer.Bytes.Type)
	}
	var response struct {
		Data struct {
			Version   int `asn1:"explicit,optional,tag:0,default:0"`
			Responder asn1.RawValue
			Produced  time.Time `asn1:"generalized"`
			Answers   []struct {
				ID     asn1.RawValue
				Status asn1.RawValue
				This   time.Time     `asn1:"generalized"`
				Next   time.Time     `asn1:"generalized,explicit,optional,tag:0"`
				More   asn1.RawValue `asn1:"optional"`
			}
			Extensions asn1.RawValue `asn1:"optional"`
		}
		Algorithm    asn1.RawValue
		Signature    asn1.BitString
		Certificates asn1.RawValue `asn1:"optional"`
	}
	if _, err := asn1.Unmarshal(outer.Bytes.Data, &response); err != nil {
		return nil, fmt.Errorf("its answers cannot be read: %w", err)
	}
	var answers []ocspAnswer
	for _, a := range response.Data.Answers {
		answers = append(answers, ocspAnswer{a.This, a.Next})
	}
	return answers, nil
}
