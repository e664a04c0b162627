package lint

import (
	"fmt"
	"strings"

	"pki.internal/plan/tbs/public"
)

// isRoot applies to a self-issued certificate whose own key is its issuer's.
func isRoot(o *object) bool { return o.cert.root() }

// rootRules are about trust anchors.
func rootRules() []Rule {
	return []Rule{{
		ID: "e_root_not_self_signed", Severity: Error, Object: ObjectCertificate,
		Title:     "a certificate that names itself as issuer is signed by its own key",
		Harm:      "a root that another key signed is taken for a subordinate authority, and trusted by nobody",
		Citation:  "RFC 5280 §3.2",
		Effective: rfc5280,
		Advice:    "sign the root with its own key; if this is a key rollover certificate, hand in the issuer's certificate with it",
		applies:   func(o *object) bool { return isRoot(o) && !o.cert.given.Draft },
		check: func(o *object) []string {
			c := o.cert
			if err := public.CheckCertificate(c.Certificate, c.Certificate); err != nil {
				return []string{fmt.Sprintf("issuer and subject are %q, but the signature does not verify under the certificate's own key: %v", c.Subject, err)}
			}
			return nil
		},
	}, {
		ID: "w_root_has_cdp_or_aia", Severity: Warn, Object: ObjectCertificate,
		Title:     "a root names no place where its own status or issuer could be fetched",
		Harm:      "clients fetch what the root names, and fail when the host is gone in fifteen years",
		Citation:  "RFC 5280 §6.1 (a trust anchor is not part of the path that is validated)",
		Effective: rfc5280,
		Advice:    "leave CDP and AIA out of the root; they belong into what the root issues",
		applies:   func(o *object) bool { return isRoot(o) && o.cert.IsCA },
		check: func(o *object) []string {
			c := o.cert
			var details []string
			if len(c.CRLDistributionPoints) > 0 {
				details = append(details, "CRL distribution point "+strings.Join(c.CRLDistributionPoints, ", "))
			}
			if urls := append(c.OCSPServer[:len(c.OCSPServer):len(c.OCSPServer)], c.IssuingCertificateURL...); len(urls) > 0 {
				details = append(details, "authority information access "+strings.Join(urls, ", "))
			}
			return details
		},
	}}
}
