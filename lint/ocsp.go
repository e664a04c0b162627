package lint

import (
	"bytes"
	"cmp"
	"crypto"
	_ "crypto/sha1"   // digests in answers
	_ "crypto/sha512" // digests in answers
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"time"

	"pki.internal/plan/tbs/public"
)

// OCSPResponse is an OCSP response under judgement.
type OCSPResponse struct {
	// DER is a complete response.
	DER []byte
	// Responder is the DER of the certificate of whoever signed it; nil when
	// unknown.
	Responder []byte
	// Issuer is the DER of the certificate of the authority that is answered
	// for; nil when unknown. With it, signature and rights are judged, which a
	// draft does not have.
	Issuer []byte
	// Longest is how long a response may count; zero is a year, which is what
	// the status of authorities may take.
	Longest time.Duration
}

// ocspResponse is what a rule sees of a response.
type ocspResponse struct {
	given     OCSPResponse
	answers   []ocspAnswer
	responder *x509.Certificate
	issuer    *x509.Certificate
	// signed, algorithm and signature are what a signature is checked with.
	signed, algorithm, signature []byte
	// enclosed are the certificates in the response.
	enclosed []*x509.Certificate
}

// ocspAnswer is the answer for one certificate. The end is zero where the
// response has none.
type ocspAnswer struct {
	this, next time.Time
	hash       asn1.ObjectIdentifier
	// name and key are digests of the issuer's name and key.
	name, key []byte
	serial    *big.Int
}

// OCSP judges an OCSP response. When the clock is zero, rules about time do not
// apply. The findings are sorted.
func (l *Linter) OCSP(r OCSPResponse, now time.Time) []Finding {
	parsed, err := readOCSP(r.DER)
	if err != nil {
		return []Finding{unparsable().finding(fmt.Sprintf("the OCSP response cannot be read: %v", err))}
	}
	parsed.given = r
	var findings, more []Finding
	parsed.responder, findings = readKnown(r.Responder, "the responder's certificate")
	parsed.issuer, more = readKnown(r.Issuer, "the certificate of the authority that is answered for")
	findings = append(findings, more...)
	findings = append(findings, l.z.response(r.DER, now)...)
	findings = append(findings, l.run(ObjectOCSP, &object{now: now, ocsp: parsed})...)
	sortFindings(findings)
	return findings
}

// IsOCSP says whether DER is an OCSP response with answers.
func IsOCSP(der []byte) bool {
	_, err := readOCSP(der)
	return err == nil
}

// readOCSP reads a basic response (RFC 6960 §4.2.1).
func readOCSP(der []byte) (*ocspResponse, error) {
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
			Raw       asn1.RawContent
			Version   int `asn1:"explicit,optional,tag:0,default:0"`
			Responder asn1.RawValue
			Produced  time.Time `asn1:"generalized"`
			Answers   []struct {
				ID struct {
					Hash      pkix.AlgorithmIdentifier
					Name, Key []byte
					Serial    *big.Int
				}
				Status asn1.RawValue
				This   time.Time     `asn1:"generalized"`
				Next   time.Time     `asn1:"generalized,explicit,optional,tag:0"`
				More   asn1.RawValue `asn1:"optional"`
			}
			Extensions asn1.RawValue `asn1:"optional"`
		}
		Algorithm    asn1.RawValue
		Signature    asn1.BitString
		Certificates []asn1.RawValue `asn1:"explicit,tag:0,optional"`
	}
	if rest, err := asn1.Unmarshal(outer.Bytes.Data, &response); err != nil || len(rest) > 0 {
		return nil, fmt.Errorf("its answers cannot be read: %w", cmp.Or(err, errors.New("octets follow them")))
	}
	r := &ocspResponse{
		signed: response.Data.Raw, algorithm: response.Algorithm.FullBytes, signature: response.Signature.RightAlign(),
	}
	for _, a := range response.Data.Answers {
		r.answers = append(r.answers, ocspAnswer{a.This, a.Next, a.ID.Hash.Algorithm, a.ID.Name, a.ID.Key, a.ID.Serial})
	}
	for _, raw := range response.Certificates {
		if c, err := x509.ParseCertificate(raw.FullBytes); err == nil {
			r.enclosed = append(r.enclosed, c)
		}
	}
	return r, nil
}

// about says whether an answer is for a certificate of the authority. A digest
// of another kind than the usual ones cannot be compared.
func (a ocspAnswer) about(authority *x509.Certificate) bool {
	var info struct {
		Algorithm asn1.RawValue
		Key       asn1.BitString
	}
	if _, err := asn1.Unmarshal(authority.RawSubjectPublicKeyInfo, &info); err != nil {
		return false
	}
	digest, known := map[string]crypto.Hash{
		"1.3.14.3.2.26": crypto.SHA1, "2.16.840.1.101.3.4.2.1": crypto.SHA256,
		"2.16.840.1.101.3.4.2.2": crypto.SHA384, "2.16.840.1.101.3.4.2.3": crypto.SHA512,
	}[a.hash.String()]
	if !known {
		return true
	}
	sum := func(data []byte) []byte {
		h := digest.New()
		h.Write(data)
		return h.Sum(nil)
	}
	return bytes.Equal(a.name, sum(authority.RawSubject)) && bytes.Equal(a.key, sum(info.Key.Bytes))
}

// signedBy says whether the response verifies under a certificate's key.
func (r *ocspResponse) signedBy(c *x509.Certificate) bool {
	scheme, known := public.SchemeOf(r.algorithm)
	key, err := public.Of(c)
	if !known || err != nil {
		return false
	}
	message := r.signed
	if scheme.Hash != 0 {
		h := scheme.Hash.New()
		h.Write(r.signed)
		message = h.Sum(nil)
	}
	return scheme.Verify(key, message, r.signature) == nil
}
