package lint

import (
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Object identifiers of what a leaf says of itself.
const (
	ekuOID        = "2.5.29.37"
	tlsFeatureOID = "1.3.6.1.5.5.7.1.24"
	noCheckOID    = "1.3.6.1.5.5.7.48.1.5"
)

// RFC 3161 was published in August 2001.
var rfc3161 = time.Date(2001, time.August, 1, 0, 0, 0, 0, time.UTC)

// RFC 7633 was published in October 2015.
var rfc7633 = time.Date(2015, time.October, 1, 0, 0, 0, 0, time.UTC)

// RFC 8446 was published in August 2018.
var rfc8446 = time.Date(2018, time.August, 1, 0, 0, 0, 0, time.UTC)

// isLeafCertificate applies to everything that is no authority.
func isLeafCertificate(o *object) bool { return !o.cert.IsCA }

// hasPurpose says whether a certificate names a purpose.
func hasPurpose(c *x509.Certificate, purpose x509.ExtKeyUsage) bool {
	return slices.Contains(c.ExtKeyUsage, purpose)
}

// usageRules are about what a leaf may be used for.
func usageRules() []Rule {
	return []Rule{{
		ID: "e_ca_usage_serves_no_purpose", Severity: Error, Object: ObjectCertificate,
		Title:     "the key usage allows what every purpose needs",
		Harm:      "a client certificate whose key may not sign: each server refuses it, with an error that says nothing",
		Citation:  "RFC 5280 §4.2.1.3, §4.2.1.12",
		Effective: rfc5280,
		Advice:    "add digitalSignature to the key usage, or leave the purpose out",
		applies:   func(o *object) bool { return isLeafCertificate(o) && o.cert.KeyUsage != 0 },
		check:     checkUsageOfPurposes,
	}, {
		ID: "w_ca_server_key_cannot_sign", Severity: Warn, Object: ObjectCertificate,
		Title:     "a server's key may sign",
		Harm:      "TLS 1.3, and every suite of TLS 1.2 that keeps past sessions secret, refuse the certificate: a profile of the days of RSA key exchange",
		Citation:  "RFC 8446 §4.4.2.2",
		Effective: rfc8446,
		Advice:    "add digitalSignature to the key usage",
		applies:   func(o *object) bool { return serves(o.cert.Certificate) && o.cert.KeyUsage != 0 },
		check: func(o *object) []string {
			const exchange = x509.KeyUsageKeyEncipherment | x509.KeyUsageKeyAgreement
			if o.cert.KeyUsage&x509.KeyUsageDigitalSignature == 0 && o.cert.KeyUsage&exchange != 0 {
				return []string{"the key usage has no digitalSignature"}
			}
			return nil
		},
	}, {
		ID: "w_ca_leaf_any_purpose", Severity: Warn, Object: ObjectCertificate,
		Title:     "a leaf says what it is for",
		Harm:      "the key of a web server signs programs and mail as well",
		Citation:  "RFC 5280 §4.2.1.12",
		Effective: rfc5280,
		Advice:    "name the purposes instead of anyExtendedKeyUsage",
		applies:   isLeafCertificate,
		check: func(o *object) []string {
			if hasPurpose(o.cert.Certificate, x509.ExtKeyUsageAny) {
				return []string{"the extended key usage has anyExtendedKeyUsage"}
			}
			return nil
		},
	}}
}

// aloneRules are about purposes and extensions that do not go with others.
func aloneRules() []Rule {
	return []Rule{{
		ID: "e_ca_time_stamping_not_alone", Severity: Error, Object: ObjectCertificate,
		Title:     "a time stamping authority's purpose is critical, and its only one",
		Harm:      "openssl ts -verify and others refuse every stamp that it ever made",
		Citation:  "RFC 3161 §2.3",
		Effective: rfc3161,
		Advice:    "mark the extended key usage critical, and leave timeStamping alone in it",
		applies: func(o *object) bool {
			return isLeafCertificate(o) && hasPurpose(o.cert.Certificate, x509.ExtKeyUsageTimeStamping)
		},
		check: checkTimeStamping,
	}, {
		ID: "w_ca_code_signing_on_server", Severity: Warn, Object: ObjectCertificate,
		Title:     "what signs programs is no server",
		Harm:      "whoever breaks into the server signs programs that everybody runs",
		Citation:  "CABF Code Signing BR §7.1.2.3 (f)",
		Effective: rfc5280,
		Advice:    "make two certificates with two keys",
		applies:   func(o *object) bool { return serves(o.cert.Certificate) },
		check: func(o *object) []string {
			if hasPurpose(o.cert.Certificate, x509.ExtKeyUsageCodeSigning) {
				return []string{"the extended key usage has both serverAuth and codeSigning"}
			}
			return nil
		},
	}, {
		ID: "e_ca_staple_without_responder", Severity: Error, Object: ObjectCertificate,
		Title:     "a certificate that must be stapled names who answers for it",
		Harm:      "the server has nothing to staple, and Firefox closes every connection",
		Citation:  "RFC 7633 §4.2.3, §4.3.1; RFC 6066 §8",
		Effective: rfc7633,
		Advice:    "add the URL of an OCSP responder, or leave the TLS feature out",
		applies:   func(o *object) bool { return isLeafCertificate(o) && hasExtension(o.cert.Certificate, tlsFeatureOID) },
		check: func(o *object) []string {
			if len(o.cert.OCSPServer) == 0 {
				return []string{"the TLS feature asks for a stapled answer, and no OCSP responder is named"}
			}
			return nil
		},
	}, {
		ID: "w_ca_nocheck_of_no_responder", Severity: Warn, Object: ObjectCertificate,
		Title:     "only a responder says that nobody should ask about it",
		Harm:      "a leaf that some clients never look up: revoking it does nothing there",
		Citation:  "RFC 6960 §4.2.2.2.1",
		Effective: rfc6960,
		Advice:    "leave id-pkix-ocsp-nocheck out",
		applies:   func(o *object) bool { return hasExtension(o.cert.Certificate, noCheckOID) },
		check: func(o *object) []string {
			if hasPurpose(o.cert.Certificate, x509.ExtKeyUsageOCSPSigning) {
				return nil
			}
			return []string{"id-pkix-ocsp-nocheck, and no OCSPSigning among the purposes"}
		},
	}}
}

// purposeNameRules are about names that a purpose wants, or does without.
func purposeNameRules() []Rule {
	return []Rule{{
		ID: "e_ca_spiffe_id_invalid", Severity: Error, Object: ObjectCertificate,
		Title:     "a SPIFFE identity is one, and well-formed",
		Harm:      "Envoy, Istio and go-spiffe refuse the certificate as a whole",
		Citation:  "SPIFFE X.509-SVID §2; SPIFFE-ID §2",
		Effective: rfc5280,
		Advice:    "give the certificate one URI: spiffe://trust-domain/path, without port, query or fragment",
		applies:   func(o *object) bool { return slices.ContainsFunc(o.cert.URIs, isSPIFFE) },
		check:     checkSPIFFE,
	}, {
		ID: "w_ca_mail_without_address", Severity: Warn, Object: ObjectCertificate,
		Title:     "a certificate for mail has an address among its alternative names",
		Harm:      "mail programs compare the sender with the alternative names, and call the signature somebody else's",
		Citation:  "RFC 8550 §3; RFC 5280 §4.1.2.6",
		Effective: rfc5280,
		Advice:    "add the address as rfc822Name",
		applies: func(o *object) bool {
			return isLeafCertificate(o) && hasPurpose(o.cert.Certificate, x509.ExtKeyUsageEmailProtection)
		},
		check: func(o *object) []string {
			// An address beyond ASCII is an otherName, which Go does not read.
			if len(o.cert.EmailAddresses) > 0 || hasExtension(o.cert.Certificate, sanOID) && len(o.cert.DNSNames)+len(o.cert.IPAddresses)+len(o.cert.URIs) == 0 {
				return nil
			}
			return []string{"emailProtection, and no address among the alternative names"}
		},
	}, {
		ID: "w_ica_is_server", Severity: Warn, Object: ObjectCertificate,
		Title:     "an authority is no server",
		Harm:      "the authority's key lies on the web server, beside everything that is attacked",
		Citation:  "NIST SP 800-57 part 1 rev. 5 §5.2; CABF BR §7.1.2.10",
		Effective: sp80057,
		Advice:    "leave host names out of the authority's certificate, and give the server one of its own",
		applies: func(o *object) bool {
			return isSubordinate(o) && hasPurpose(o.cert.Certificate, x509.ExtKeyUsageServerAuth)
		},
		check: func(o *object) []string {
			if hosts := len(o.cert.DNSNames) + len(o.cert.IPAddresses); hosts > 0 && o.cert.KeyUsage&x509.KeyUsageDigitalSignature != 0 {
				return []string{"host names, serverAuth and digitalSignature: the authority's key can serve"}
			}
			return nil
		},
	}}
}

// checkUsageOfPurposes holds each purpose against the key usage (RFC 5280
// §4.2.1.12 lists what may be consistent).
func checkUsageOfPurposes(o *object) []string {
	const (
		sign     = x509.KeyUsageDigitalSignature
		commit   = x509.KeyUsageContentCommitment
		encipher = x509.KeyUsageKeyEncipherment
		agree    = x509.KeyUsageKeyAgreement
	)
	_, isRSA := o.cert.PublicKey.(*rsa.PublicKey)
	exchange := agree
	if isRSA {
		exchange = encipher
	}
	var details []string
	for _, p := range []struct {
		purpose x509.ExtKeyUsage
		name    string
		any     x509.KeyUsage
	}{
		{x509.ExtKeyUsageServerAuth, "serverAuth", sign | exchange},
		{x509.ExtKeyUsageClientAuth, "clientAuth", sign | agree},
		{x509.ExtKeyUsageCodeSigning, "codeSigning", sign},
		{x509.ExtKeyUsageEmailProtection, "emailProtection", sign | commit | exchange},
		{x509.ExtKeyUsageTimeStamping, "timeStamping", sign | commit},
		{x509.ExtKeyUsageOCSPSigning, "OCSPSigning", sign | commit},
	} {
		if hasPurpose(o.cert.Certificate, p.purpose) && o.cert.KeyUsage&p.any == 0 {
			details = append(details, fmt.Sprintf("the extended key usage has %s, and the key usage forbids it", p.name))
		}
	}
	return details
}

// checkTimeStamping holds a time stamping authority against RFC 3161 §2.3.
func checkTimeStamping(o *object) []string {
	var details []string
	for _, e := range o.cert.Extensions {
		if e.Id.String() == ekuOID && !e.Critical {
			details = append(details, "the extended key usage is not critical")
		}
	}
	if n := len(o.cert.ExtKeyUsage) + len(o.cert.UnknownExtKeyUsage); n > 1 {
		details = append(details, fmt.Sprintf("timeStamping is one of %d purposes", n))
	}
	return details
}

func isSPIFFE(u *url.URL) bool { return strings.EqualFold(u.Scheme, "spiffe") }

// checkSPIFFE holds the identity against the standard.
func checkSPIFFE(o *object) []string {
	var details []string
	if n := len(o.cert.URIs); n > 1 {
		details = append(details, fmt.Sprintf("%d URIs, and a SPIFFE identity is the only one", n))
	}
	for _, u := range o.cert.URIs {
		if !isSPIFFE(u) {
			continue
		}
		switch {
		case u.Host == "" || strings.Trim(u.Host, "abcdefghijklmnopqrstuvwxyz0123456789.-_") != "":
			details = append(details, fmt.Sprintf("%q has no trust domain of small letters, digits, dots, dashes and underscores", u))
		case u.User != nil || u.RawQuery != "" || u.Fragment != "":
			details = append(details, fmt.Sprintf("%q has more than a trust domain and a path", u))
		case !o.cert.IsCA && strings.Trim(u.Path, "/") == "":
			details = append(details, fmt.Sprintf("%q is the trust domain itself, which only an authority may be", u))
		case strings.HasSuffix(u.Path, "/") || strings.Contains(u.Path, "//") || strings.Contains(u.Path+"/", "/../") || strings.Contains(u.Path+"/", "/./"):
			details = append(details, fmt.Sprintf("%q has a path with an empty part or with dots alone", u))
		}
	}
	return details
}
