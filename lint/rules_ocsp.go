package lint

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"pki.internal/plan/tbs/public"
)

// longestAnswer is how long an answer about an authority may count (CABF BR
// §4.9.10: twelve months), with the days that months may differ by.
const longestAnswer = 372 * 24 * time.Hour

// responseRules are about OCSP responses.
func responseRules() []Rule {
	return []Rule{{
		ID: "e_ocsp_response_window", Severity: Error, Object: ObjectOCSP,
		Title:     "an answer has an end, which is soon enough and not after its signer's",
		Harm:      "a response that was signed ahead outlives its signer, or never ends",
		Citation:  "RFC 6960 §2.4, §4.2.2.1; RFC 5019 §4; CABF BR §4.9.10",
		Effective: rfc6960,
		Advice:    "set nextUpdate to the day of the next response, before the responder's certificate ends",
		applies:   always,
		check:     checkAnswers,
	}, {
		ID: "e_ocsp_signature_not_by_responder", Severity: Error, Object: ObjectOCSP,
		Title:     "the response is signed by the authority, or by a responder whose certificate it encloses",
		Harm:      "clients that staple or insist take the certificate for revoked or unknown",
		Citation:  "RFC 6960 §3.2, §4.2.1",
		Effective: rfc6960,
		Advice:    "find out which key signed, and enclose the responder's certificate; do not publish the response",
		applies:   func(o *object) bool { return o.ocsp.issuer != nil },
		check: func(o *object) []string {
			if o.ocsp.signer() != nil {
				return nil
			}
			return []string{fmt.Sprintf("the signature verifies neither under the key of %q nor under that of an enclosed certificate (%d)", o.ocsp.issuer.Subject, len(o.ocsp.enclosed))}
		},
	}, {
		ID: "e_ocsp_responder_not_authorized", Severity: Error, Object: ObjectOCSP,
		Title:     "whoever answers was given the right to by the authority itself",
		Harm:      "clients answer unauthorized responder; lax ones would take anybody's word",
		Citation:  "RFC 6960 §4.2.2.2",
		Effective: rfc6960,
		Advice:    "have the authority whose certificates are asked about certify the responder, with OCSPSigning in its extended key usage",
		applies:   func(o *object) bool { return o.ocsp.issuer != nil && o.ocsp.signer() != nil },
		check:     checkResponderRights,
	}, {
		ID: "e_ocsp_not_about_issuer", Severity: Error, Object: ObjectOCSP,
		Title:     "every answer is about a certificate of the authority",
		Harm:      "a response for another authority's certificate of the same number says nothing about this one",
		Citation:  "RFC 6960 §3.2, §4.1.1",
		Effective: rfc6960,
		Advice:    "make the request with the issuer's own certificate: name and key are digested from it",
		applies:   func(o *object) bool { return o.ocsp.issuer != nil },
		check: func(o *object) []string {
			var details []string
			for i, a := range o.ocsp.answers {
				if !a.about(o.ocsp.issuer) {
					details = append(details, fmt.Sprintf("answer %d is about a certificate of another authority than %q", i+1, o.ocsp.issuer.Subject))
				}
			}
			return details
		},
	}, {
		ID: "w_ocsp_this_update_future", Severity: Warn, Object: ObjectOCSP,
		Title:     "an answer has begun",
		Harm:      "clients refuse an answer from the future until the time has come",
		Citation:  "RFC 6960 §3.2, §4.2.2.1",
		Effective: rfc6960,
		Advice:    "publish it when it begins, or set the clock right: clients refuse an answer from the future",
		// A response that is signed in advance begins later, and is published then.
		applies: func(o *object) bool { return !o.now.IsZero() && o.ocsp.issuer != nil },
		check: func(o *object) []string {
			var details []string
			for i, a := range o.ocsp.answers {
				if a.this.After(o.now.Add(clockSkew)) {
					details = append(details, fmt.Sprintf("answer %d begins on %s, and it is %s", i+1, date(a.this), date(o.now)))
				}
			}
			return details
		},
	}}
}

// signer is the certificate under which the response verifies; nil when there
// is none.
func (r *ocspResponse) signer() *x509.Certificate {
	candidates := append([]*x509.Certificate{r.issuer, r.responder}, r.enclosed...)
	for _, c := range candidates {
		if c != nil && r.signedBy(c) {
			return c
		}
	}
	return nil
}

// checkResponderRights asks what a client asks of a delegated responder.
func checkResponderRights(o *object) []string {
	r, signer := o.ocsp, o.ocsp.signer()
	if sameKey(signer, r.issuer) {
		return nil
	}
	var details []string
	if !bytes.Equal(signer.RawIssuer, r.issuer.RawSubject) || public.CheckCertificate(signer, r.issuer) != nil {
		details = append(details, fmt.Sprintf("%q signed, and was not certified by %q", signer.Subject, r.issuer.Subject))
	}
	if !slices.Contains(purposes(signer), purposeOCSPSigning) {
		details = append(details, fmt.Sprintf("%q signed, and its extended key usage lacks OCSPSigning", signer.Subject))
	}
	for i, a := range r.answers {
		if a.this.Before(signer.NotBefore) || a.this.After(signer.NotAfter) {
			details = append(details, fmt.Sprintf("answer %d begins on %s, and %q is valid from %s until %s", i+1, date(a.this), signer.Subject, date(signer.NotBefore), date(signer.NotAfter)))
		}
	}
	return details
}

// checkAnswers looks at the window of every answer.
func checkAnswers(o *object) []string {
	r := o.ocsp
	longest := r.given.Longest
	if longest == 0 {
		longest = longestAnswer
	}
	var details []string
	for i, a := range r.answers {
		where := fmt.Sprintf("answer %d", i+1)
		switch {
		case a.next.IsZero():
			details = append(details, where+" has no nextUpdate: nobody knows how long it counts")
		case !a.next.After(a.this):
			details = append(details, fmt.Sprintf("%s ends on %s, and begins on %s", where, date(a.next), date(a.this)))
		case a.next.Sub(a.this) > longest:
			details = append(details, fmt.Sprintf("%s counts for %s, and %s is allowed", where, span(a.next.Sub(a.this)), span(longest)))
		case !o.now.IsZero() && !o.now.Before(a.next):
			details = append(details, fmt.Sprintf("%s ended on %s, and it is %s", where, date(a.next), date(o.now)))
		case r.responder != nil && a.next.After(r.responder.NotAfter):
			details = append(details, fmt.Sprintf("%s ends on %s, and the responder's certificate on %s", where, date(a.next), date(r.responder.NotAfter)))
		}
	}
	return details
}
