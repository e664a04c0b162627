package lint

import (
	"encoding/asn1"
	"fmt"
	"net/netip"
	"strings"
)

// challengePasswordOID is the attribute of PKCS #9 that holds a secret.
const challengePasswordOID = "1.2.840.113549.1.9.7"

// requestNameRules are about the names that a request asks for, and what it
// gives away.
func requestNameRules() []Rule {
	return []Rule{{
		ID: "e_csr_country_not_two_letters", Severity: Error, Object: ObjectCSR,
		Title:     "a country is two capital letters",
		Harm:      "the name is copied into a certificate that strict parsers refuse",
		Citation:  "RFC 5280 appendix A.1 (X520countryName); ISO 3166-1",
		Effective: rfc5280,
		Advice:    "ask for a request with the two letters of ISO 3166-1, such as DE",
		applies:   always,
		check:     func(o *object) []string { return checkCountryForm(o.csr.Subject) },
	}, {
		ID: "w_csr_placeholder", Severity: Warn, Object: ObjectCSR,
		Title:     "nothing in a request was left over from a template or from a program's defaults",
		Harm:      "openssl req, with the enter key at every question: Internet Widgits Pty Ltd gets a certificate",
		Citation:  "RFC 2986 §4.1; openssl-req(1), fieldName_default",
		Effective: rfc2986,
		Advice:    "ask for a request with the names that are meant",
		applies:   always,
		check: func(o *object) []string {
			return append(checkPlaceholders(o.csr.Subject), checkPlaceholderNames(o.csr.DNSNames)...)
		},
	}, {
		ID: "w_csr_names_nobody", Severity: Warn, Object: ObjectCSR,
		Title:     "a request says whom the certificate is for",
		Harm:      "whoever signs it types the name, and the key's holder never agreed to it",
		Citation:  "RFC 2986 §4.1; RFC 5280 §4.1.2.6",
		Effective: rfc2986,
		Advice:    "ask for a request with a subject, or with alternative names",
		applies:   always,
		check: func(o *object) []string {
			names := len(o.csr.DNSNames) + len(o.csr.IPAddresses) + len(o.csr.URIs) + len(o.csr.EmailAddresses)
			if len(o.csr.Subject.Names) == 0 && names == 0 {
				return []string{"neither a subject nor an alternative name"}
			}
			return nil
		},
	}, {
		ID: "e_csr_name_unusable", Severity: Error, Object: ObjectCSR,
		Title:     "a DNS name that is asked for is one",
		Harm:      "the certificate is issued, and no client ever matches it",
		Citation:  "RFC 5280 §4.2.1.6; RFC 1034 §3.5",
		Effective: rfc5280,
		Advice:    "ask for host names without scheme, port or path, and write addresses as iPAddress",
		applies:   func(o *object) bool { return len(o.csr.DNSNames) > 0 },
		check:     checkRequestedNames,
	}, {
		ID: "w_csr_challenge_password", Severity: Warn, Object: ObjectCSR,
		Title:     "a request holds no password",
		Harm:      "openssl req asks for one; people type theirs, and the request travels by mail",
		Citation:  "RFC 2985 §5.4.1",
		Effective: rfc2986,
		Advice:    "ask for a request without the attribute; where SCEP needs it, it stays inside the encrypted message",
		applies:   always,
		check: func(o *object) []string {
			if requestAttribute(o.csr.RawTBSCertificateRequest, challengePasswordOID) {
				return []string{"the request has a challenge password, in clear text"}
			}
			return nil
		},
	}}
}

// checkRequestedNames looks for DNS names that no resolver has.
func checkRequestedNames(o *object) []string {
	var details []string
	for _, name := range o.csr.DNSNames {
		_, err := netip.ParseAddr(name)
		host := strings.TrimPrefix(name, "*.")
		switch {
		case isLeftover(name): // named by another rule
		case err == nil:
			details = append(details, fmt.Sprintf("the DNS name %q is an address", name))
		case host == "" || strings.Trim(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") != "" || strings.Contains("."+host+".", ".."):
			details = append(details, fmt.Sprintf("%q is no DNS name", name))
		}
	}
	return details
}

// requestAttribute says whether a request has an attribute. Go reads only those
// that hold extensions.
func requestAttribute(der []byte, oid string) bool {
	var request struct {
		Raw        asn1.RawContent
		Version    int
		Subject    asn1.RawValue
		Key        asn1.RawValue
		Attributes []asn1.RawValue `asn1:"tag:0"`
	}
	if _, err := asn1.Unmarshal(der, &request); err != nil {
		return false
	}
	for _, raw := range request.Attributes {
		var id asn1.ObjectIdentifier
		if _, err := asn1.Unmarshal(raw.Bytes, &id); err == nil && id.String() == oid {
			return true
		}
	}
	return false
}
