package lint

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"

	"pki.internal/plan/tbs/public"
)

// longestNoCheck is how long a responder that nobody can revoke may live: long
// enough for a yearly ceremony with some slack.
const longestNoCheck = 398 * 24 * time.Hour

// isResponder applies to a certificate that may sign OCSP responses for its
// issuer, and is no authority. Authorities with that purpose are another
// rule's business.
func isResponder(o *object) bool {
	return !o.cert.IsCA && slices.Contains(purposes(o.cert.Certificate), purposeOCSPSigning)
}

// noCheck says whether clients are told not to ask for the responder's own
// status.
func noCheck(o *object) bool { return hasExtension(o.cert.Certificate, "1.3.6.1.5.5.7.48.1.5") }

// responderRules are about the certificates of OCSP responders.
func responderRules() []Rule {
	return []Rule{{
		ID: "e_ocspsig_not_direct_child", Severity: Error, Object: ObjectCertificate,
		Title:     "a responder is certified by the very authority for which it answers",
		Harm:      "OpenSSL and Go refuse answers of a responder that another authority certified",
		Citation:  "RFC 6960 §4.2.2.2",
		Effective: rfc6960,
		Advice:    "have that authority issue the responder's certificate, with the key that signed what it answers for",
		applies:   func(o *object) bool { return isResponder(o) && o.cert.answersFor != nil },
		check:     checkResponderIssuer,
	}, {
		ID: "w_ocspsig_no_nocheck", Severity: Warn, Object: ObjectCertificate,
		Title:     "a responder says how its own status is to be had, or that nobody should ask",
		Harm:      "clients that ask the responder about the responder, for ever or not at all",
		Citation:  "RFC 6960 §4.2.2.2.1",
		Effective: rfc6960,
		Advice:    "add id-pkix-ocsp-nocheck and keep the life short, or a CRL distribution point",
		applies:   isResponder,
		check: func(o *object) []string {
			if noCheck(o) || len(o.cert.CRLDistributionPoints) > 0 {
				return nil
			}
			return []string{"neither id-pkix-ocsp-nocheck nor a CRL distribution point: clients ask the responder about itself, or guess"}
		},
	}, {
		ID: "e_ocspsig_nocheck_long_lived", Severity: Error, Object: ObjectCertificate,
		Title:     "a responder that nobody can revoke lives for about a year at most",
		Harm:      "a stolen responder's key says good for as long as its certificate lives",
		Citation:  "RFC 6960 §4.2.2.2.1",
		Effective: rfc6960,
		Advice:    "renew the responder's certificate often: whoever takes its key answers until it ends",
		applies:   func(o *object) bool { return isResponder(o) && noCheck(o) },
		check: func(o *object) []string {
			if life := lifetime(o); life > longestNoCheck {
				return []string{fmt.Sprintf("id-pkix-ocsp-nocheck, and valid for %s", span(life))}
			}
			return nil
		},
	}, {
		ID: "e_ocspsig_ca_true_or_extra_eku", Severity: Error, Object: ObjectCertificate,
		Title:     "a responder signs responses and nothing else",
		Harm:      "an online responder whose key could also issue or serve",
		Citation:  "RFC 6960 §4.2.2.2; CABF BR §7.1.2.8.5, §7.1.2.8.7",
		Effective: rfc6960,
		Advice:    "make a certificate of its own for each purpose: OCSPSigning alone, and digitalSignature alone",
		applies:   isResponder,
		check:     checkResponderOnly,
	}}
}

// checkResponderIssuer compares the issuer with the authority that is answered
// for. What a draft's signature says counts for nothing, so there the issuer's
// key is compared.
func checkResponderIssuer(o *object) []string {
	c, authority := o.cert, o.cert.answersFor
	if !bytes.Equal(c.RawIssuer, authority.RawSubject) {
		return []string{fmt.Sprintf("issued by %q, and to answer for %q", c.Issuer, authority.Subject)}
	}
	byItsKey := c.issuer != nil && sameKey(c.issuer, authority)
	if !c.given.Draft {
		byItsKey = public.CheckCertificate(c.Certificate, authority) == nil
	}
	if !byItsKey {
		return []string{fmt.Sprintf("issued under the name of %q, and not with its key", authority.Subject)}
	}
	return nil
}

// checkResponderOnly names purposes and usages beyond signing responses.
func checkResponderOnly(o *object) []string {
	var details []string
	extra := slices.DeleteFunc(purposes(o.cert.Certificate), func(p string) bool { return p == purposeOCSPSigning })
	if len(extra) > 0 {
		details = append(details, "the extended key usage also has "+strings.Join(extra, ", "))
	}
	if o.cert.KeyUsage&(x509.KeyUsageCertSign|x509.KeyUsageCRLSign) != 0 {
		details = append(details, "the key usage has keyCertSign or cRLSign")
	}
	return details
}
