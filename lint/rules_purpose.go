package lint

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
)

// Object identifiers of purposes that rules ask about.
const (
	purposeAny         = "2.5.29.37.0"
	purposeOCSPSigning = "1.3.6.1.5.5.7.3.9"
	policyAny          = "2.5.29.32.0"
	nameConstraintsOID = "2.5.29.30"
)

// purposeRules are about what an authority may be used for.
func purposeRules() []Rule {
	return []Rule{{
		ID: "e_ica_eku_ocsp_signing_delegation", Severity: Error, Object: ObjectCertificate,
		Title:     "an authority is not at the same time an OCSP responder of its issuer",
		Harm:      "July 2020: dozens of public authorities could sign that their own siblings were good",
		Citation:  "RFC 6960 §4.2.2.2; CABF BR §7.1.2.10.6",
		Effective: rfc6960,
		Advice:    "leave OCSPSigning out of authorities: with it, this one can say that its own siblings are good",
		applies:   isSubordinate,
		check: func(o *object) []string {
			if slices.Contains(purposes(o.cert.Certificate), purposeOCSPSigning) {
				return []string{"the extended key usage has OCSPSigning: the authority can answer for everything that its issuer signed"}
			}
			return nil
		},
	}, {
		ID: "e_ica_eku_not_nested", Severity: Error, Object: ObjectCertificate,
		Title:     "every purpose of the certificate is one of its issuer's",
		Harm:      "works with OpenSSL, fails with Go and Windows: found in production",
		Citation:  "RFC 5280 §4.2.1.12; Go crypto/x509, VerifyOptions.KeyUsages",
		Effective: rfc5280,
		Advice:    "drop the purpose, or issue under an authority that has it: Go and Windows refuse it, others let it pass",
		applies:   func(o *object) bool { return hasIssuer(o) && len(purposes(o.cert.issuer)) > 0 },
		check:     checkNestedPurposes,
	}, {
		ID: "e_ica_policy_not_in_parent", Severity: Error, Object: ObjectCertificate,
		Title:     "every policy of an authority is one of its issuer's",
		Harm:      "clients that require a policy refuse the chain; the others never noticed",
		Citation:  "RFC 5280 §6.1.3 (d)",
		Effective: rfc5280,
		Advice:    "drop the policy, or issue under an authority that has it or anyPolicy",
		// The policies of a trust anchor are not looked at.
		applies: func(o *object) bool { return isSubordinate(o) && hasIssuer(o) && !selfSigned(o.cert.issuer) },
		check:   checkNestedPolicies,
	}, {
		ID: "e_ica_csr_key_mismatch", Severity: Error, Object: ObjectCertificate,
		Title:     "the certificate is for the key in the request that was approved",
		Harm:      "the wrong USB stick: a certificate for somebody else's key",
		Citation:  "RFC 2986 §3; CABF BR §3.2.1",
		Effective: rfc2986,
		Advice:    "find out which medium was read: this certificate is for somebody else's key",
		applies:   func(o *object) bool { return o.cert.request != nil },
		check: func(o *object) []string {
			if string(o.cert.RawSubjectPublicKeyInfo) == string(o.cert.request.RawSubjectPublicKeyInfo) {
				return nil
			}
			return []string{fmt.Sprintf("the key is not that of the request of %q", o.cert.request.Subject)}
		},
	}, {
		ID: "w_ca_unknown_critical_extension", Severity: Warn, Object: ObjectCertificate,
		Title:     "every critical extension is one that clients process",
		Harm:      "one private extension, marked critical, stops every client at once",
		Citation:  "RFC 5280 §4.2",
		Effective: rfc5280,
		Advice:    "mark the extension as not critical, unless every client of yours is known to process it",
		applies:   always,
		check: func(o *object) []string {
			var details []string
			for _, oid := range o.cert.UnhandledCriticalExtensions {
				if oid.String() != nameConstraintsOID { // another rule's business
					details = append(details, fmt.Sprintf("extension %s is critical, and Go does not process it", oid))
				}
			}
			return details
		},
	}}
}

// purposes is the object identifiers of a certificate's extended key usage.
func purposes(c *x509.Certificate) []string {
	var all []string
	for _, usage := range c.ExtKeyUsage {
		all = append(all, usage.OID().String())
	}
	for _, oid := range c.UnknownExtKeyUsage {
		all = append(all, oid.String())
	}
	return all
}

// checkNestedPurposes compares the purposes with the issuer's. A certificate
// without the extension inherits, and a responder's purpose is its issuer's to
// give.
func checkNestedPurposes(o *object) []string {
	parents := purposes(o.cert.issuer)
	if slices.Contains(parents, purposeAny) {
		return nil
	}
	var extra []string
	for _, purpose := range purposes(o.cert.Certificate) {
		delegated := purpose == purposeOCSPSigning && !o.cert.IsCA
		if !slices.Contains(parents, purpose) && !delegated {
			extra = append(extra, purpose)
		}
	}
	if len(extra) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("the extended key usage has %s, and the issuer's has only %s", strings.Join(extra, ", "), strings.Join(parents, ", "))}
}

// checkNestedPolicies compares the policies with the issuer's.
func checkNestedPolicies(o *object) []string {
	var parents []string
	for _, oid := range o.cert.issuer.Policies {
		parents = append(parents, oid.String())
	}
	if slices.Contains(parents, policyAny) {
		return nil
	}
	var details []string
	for _, oid := range o.cert.Policies {
		if policy := oid.String(); policy != policyAny && !slices.Contains(parents, policy) {
			details = append(details, fmt.Sprintf("policy %s is not one of the issuer's: it counts for nothing in this chain", policy))
		}
	}
	return details
}
