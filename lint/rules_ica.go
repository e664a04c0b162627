package lint

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
)

// isSubordinate applies to the certificate of an authority below another one.
func isSubordinate(o *object) bool { return o.cert.subordinate() }

// intermediateRules are about authorities below a root.
func intermediateRules() []Rule {
	return []Rule{{
		ID: "e_ica_pathlen_missing_or_nonzero", Severity: Error, Object: ObjectCertificate,
		Title:     "a subordinate authority has a path length, and an issuing one has zero",
		Harm:      "TURKTRUST in 2011: leaves that were authorities worked, because nothing above them set a limit",
		Citation:  "RFC 5280 §4.2.1.9; step-ca production guide, intermediate CA certificate",
		Effective: rfc5280,
		Advice:    "set the path length: 0 for an authority that signs leaves only, the number of tiers below it for a policy authority",
		applies:   isSubordinate,
		check:     checkPathLength,
	}, {
		ID: "e_ica_pathlen_exceeds_parent", Severity: Error, Object: ObjectCertificate,
		Title:     "the path length is smaller than the issuer's",
		Harm:      "a depth that was promised and that no verifier grants: the tier below is dead at birth",
		Citation:  "RFC 5280 §6.1.4 (l), (m)",
		Effective: rfc5280,
		Advice:    "lower the path length, or issue under an authority whose path length has room",
		// A self-issued certificate does not count towards the path length.
		applies: func(o *object) bool { return isSubordinate(o) && hasIssuer(o) && !o.cert.selfIssued() },
		check:   checkParentPathLength,
	}, {
		ID: "e_ica_cdp_missing_unrevokable", Severity: Error, Object: ObjectCertificate,
		Title:     "a subordinate authority can be revoked: it says where its status is to be had",
		Harm:      "an authority that was broken into and cannot be revoked: the root has to be replaced on every machine",
		Citation:  "RFC 5280 §4.2.1.13; step-ca production guide, enable CRL for an intermediate CA",
		Effective: rfc5280,
		Advice:    "give the certificate a CRL distribution point: the URL where its issuer's list is published",
		applies:   isSubordinate,
		check: func(o *object) []string {
			if len(o.cert.CRLDistributionPoints) > 0 || len(o.cert.OCSPServer) > 0 {
				return nil
			}
			return []string{"neither a CRL distribution point with a URL nor an OCSP responder: the certificate can never be revoked"}
		},
	}, {
		ID: "w_ica_cdp_ldap_only", Severity: Warn, Object: ObjectCertificate,
		Title:     "an authority's status can be fetched by HTTP",
		Harm:      "Linux, macOS, phones and every machine outside the domain find no list, and take the authority for good or for unknown",
		Citation:  "RFC 5280 §4.2.1.13; CABF BR §7.1.2.11.2",
		Effective: rfc5280,
		Advice:    "publish the list under an http URL too, and name it first",
		applies: func(o *object) bool {
			return isSubordinate(o) && len(o.cert.CRLDistributionPoints) > 0 && len(o.cert.OCSPServer) == 0
		},
		check: func(o *object) []string {
			for _, point := range o.cert.CRLDistributionPoints {
				if scheme, _, _ := strings.Cut(strings.ToLower(point), ":"); scheme != "ldap" && scheme != "ldaps" {
					return nil
				}
			}
			return []string{fmt.Sprintf("every distribution point is a directory: %s", quoteAll(o.cert.CRLDistributionPoints))}
		},
	}, {
		ID: "e_ica_cdp_is_https", Severity: Error, Object: ObjectCertificate,
		Title:     "status and issuer are fetched without TLS",
		Harm:      "clients that need a list to check the server that has the list; Windows does not even try",
		Citation:  "RFC 5280 §8",
		Effective: rfc5280,
		Advice:    "publish under http: lists and certificates are signed, and TLS would need their status first",
		applies:   func(o *object) bool { return !o.cert.root() },
		check:     checkPlainURLs,
	}}
}

// checkPathLength asks every subordinate authority for a path length and an
// issuing one for zero.
func checkPathLength(o *object) []string {
	c, role := o.cert, o.cert.given.Role
	// Go writes -1 where the field is absent.
	switch {
	case c.MaxPathLen < 0:
		return []string{"basicConstraints has no path length: the authority may build tiers below itself without end"}
	case (role == RoleIssuing || role == RoleUnknown && c.given.OnlyLeaves) && c.MaxPathLen > 0:
		return []string{fmt.Sprintf("the path length is %d, and the authority signs leaves only", c.MaxPathLen)}
	}
	return nil
}

// checkParentPathLength compares the path length with the issuer's, and with
// that of every authority above, as far as they are known. A missing one is the
// business of another rule.
func checkParentPathLength(o *object) []string {
	c := o.cert
	var details []string
	depth := 0 // tiers between the authority above and this one
	for i, upper := range append([]*x509.Certificate{c.issuer}, c.above...) {
		who, room := "issuer", upper.MaxPathLen-depth
		if i > 0 {
			who = "authority above"
		}
		switch {
		case upper.MaxPathLen < 0 || !upper.BasicConstraintsValid:
		case room <= 0:
			details = append(details, fmt.Sprintf("the %s %q has path length %d and may issue no authority%s", who, upper.Subject, upper.MaxPathLen, tiersBelow(depth)))
		case c.MaxPathLen >= room:
			details = append(details, fmt.Sprintf("the path length is %d and the %s's is %d%s: no verifier grants that depth", c.MaxPathLen, who, upper.MaxPathLen, tiersBelow(depth)))
		}
		if !bytes.Equal(upper.RawSubject, upper.RawIssuer) {
			depth++
		}
	}
	return details
}

// tiersBelow says how far away an authority above is.
func tiersBelow(depth int) string {
	if depth == 0 {
		return ""
	}
	return fmt.Sprintf(" %d tiers below", depth+1)
}

// checkPlainURLs looks for https and ldaps in CDP and AIA: a client that
// fetches through TLS has to validate the server first, which may ask for the
// same URL.
func checkPlainURLs(o *object) []string {
	c := o.cert
	var details []string
	for _, url := range slices.Concat(c.CRLDistributionPoints, c.OCSPServer, c.IssuingCertificateURL) {
		scheme, _, _ := strings.Cut(strings.ToLower(url), ":")
		if scheme == "https" || scheme == "ldaps" {
			details = append(details, fmt.Sprintf("%q is fetched through TLS, which may loop", url))
		}
	}
	return details
}
