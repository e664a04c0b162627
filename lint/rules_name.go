package lint

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// nameRules are about the names in a certificate, as people and clients read
// them.
func nameRules() []Rule {
	return []Rule{{
		ID: "e_ca_country_not_two_letters", Severity: Error, Object: ObjectCertificate,
		Title:     "a country is two capital letters",
		Harm:      "strict parsers refuse a longer one: in ASN.1 the attribute has two characters, and no more",
		Citation:  "RFC 5280 appendix A.1 (X520countryName); ISO 3166-1",
		Effective: rfc5280,
		Advice:    "write the two letters of ISO 3166-1, such as DE: a signed name cannot be mended",
		applies:   always,
		check:     func(o *object) []string { return checkCountryForm(o.cert.Subject) },
	}, {
		ID: "w_ca_country_unassigned", Severity: Warn, Object: ObjectCertificate,
		Title:     "a country is one that ISO 3166-1 knows",
		Harm:      "UK for GB, or a slip: policies that compare the country never match",
		Citation:  "RFC 5280 appendix A.1 (X520countryName); ISO 3166-1",
		Effective: rfc5280,
		Advice:    "look the code up, or leave the country out",
		applies:   always,
		check: func(o *object) []string {
			var details []string
			for _, code := range countries(o.cert.Subject) {
				if twoCapitals(code) && !slices.Contains(strings.Fields(assignedCountries), code) {
					details = append(details, fmt.Sprintf("%q is no country's code%s", code, meantCountry(code)))
				}
			}
			return details
		},
	}, {
		ID: "w_ca_subject_placeholder", Severity: Warn, Object: ObjectCertificate,
		Title:     "nothing in a name was left over from a template or from a program's defaults",
		Harm:      "Internet Widgits Pty Ltd has certificates in every company",
		Citation:  "RFC 5280 §4.1.2.6; openssl-req(1), fieldName_default",
		Effective: rfc5280,
		Advice:    "fill it in, or leave the attribute out",
		applies:   always,
		check: func(o *object) []string {
			return append(checkPlaceholders(o.cert.Subject), checkPlaceholderNames(o.cert.DNSNames)...)
		},
	}, {
		ID: "w_ca_name_invisible", Severity: Warn, Object: ObjectCertificate,
		Title:     "a name shows all that it holds, in its order",
		Harm:      "a character that turns the direction of writing makes one name look like another",
		Citation:  "RFC 5280 §7.1; RFC 4518 §2.2, §2.4; Unicode TR 36, Bidirectional Text Spoofing",
		Effective: rfc5280,
		Advice:    "take the character out; it mostly comes with text that was copied from a web page",
		applies:   always,
		check:     checkInvisible,
	}}
}

// hostNameRules are about the names in a certificate, as clients compare them with hosts.
func hostNameRules() []Rule {
	return []Rule{{
		ID: "w_ca_common_name_not_in_san", Severity: Warn, Object: ObjectCertificate,
		Title:     "a host in a server's common name is one of its alternative names",
		Harm:      "Go since 1.15, and every browser, look at the alternative names only: the host in the common name gets an error",
		Citation:  "RFC 9525 §2; RFC 6125 §6.4.4; Go 1.15 release notes, crypto/x509",
		Effective: rfc6125,
		Advice:    "add the host to the subject alternative name, or take it out of the common name",
		applies: func(o *object) bool {
			return serves(o.cert.Certificate) && len(o.cert.DNSNames)+len(o.cert.IPAddresses) > 0
		},
		check: func(o *object) []string {
			name := o.cert.Subject.CommonName
			if !looksLikeHost(name) || namesHost(o.cert.Certificate, name) {
				return nil
			}
			return []string{fmt.Sprintf("the common name %q is not among the alternative names", name)}
		},
	}, {
		ID: "w_ca_wildcard_too_wide", Severity: Warn, Object: ObjectCertificate,
		Title:     "two labels at least follow a wildcard",
		Harm:      "OpenSSL and browsers match no wildcard before a single label; Go does, so tests pass and clients fail",
		Citation:  "RFC 9525 §6.3; X509_check_host(3)",
		Effective: rfc6125,
		Advice:    "name a domain below it, such as *.acme.internal",
		applies:   always,
		check: func(o *object) []string {
			var details []string
			for _, name := range o.cert.DNSNames {
				if rest, wild := strings.CutPrefix(name, "*."); wild && !strings.Contains(strings.TrimSuffix(rest, "."), ".") {
					details = append(details, fmt.Sprintf("%q stands for everything below one label", name))
				}
			}
			return details
		},
	}, {
		ID: "w_ca_address_of_no_host", Severity: Warn, Object: ObjectCertificate,
		Title:     "an address is one that a host can have",
		Harm:      "0.0.0.0 is where the server listens, and not where clients find it",
		Citation:  "RFC 5280 §4.2.1.6; RFC 6890 §2.2.2",
		Effective: rfc5280,
		Advice:    "name the addresses that clients call",
		applies:   always,
		check: func(o *object) []string {
			var details []string
			for _, ip := range o.cert.IPAddresses {
				address, ok := netip.AddrFromSlice(ip)
				if address = address.Unmap(); ok && (address.IsUnspecified() || address.IsMulticast() || address.String() == "255.255.255.255") {
					details = append(details, fmt.Sprintf("no host has the address %s", address))
				}
			}
			return details
		},
	}}
}

// RFC 6125 was published in March 2011; RFC 9525 took its place.
var rfc6125 = time.Date(2011, time.March, 1, 0, 0, 0, 0, time.UTC)

const sanOID = "2.5.29.17"

// assignedCountries is the codes of ISO 3166-1 that are assigned, with two that
// the standard reserves and that everybody uses: EU and XK.
const assignedCountries = `
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ
CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET EU FI FJ FK FM FO FR
GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP
KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT
MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW
SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG
UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW`

// countries is every country in a name.
func countries(name pkix.Name) []string {
	var all []string
	for _, attribute := range name.Names {
		if text, ok := attribute.Value.(string); ok && attribute.Type.String() == "2.5.4.6" {
			all = append(all, text)
		}
	}
	return all
}

// twoCapitals says whether a code has the form of ISO 3166-1.
func twoCapitals(code string) bool {
	return len(code) == 2 && code[0] >= 'A' && code[0] <= 'Z' && code[1] >= 'A' && code[1] <= 'Z'
}

// meantCountry says what was meant by a code that people write by mistake.
func meantCountry(code string) string {
	if code == "UK" {
		return ": the United Kingdom is GB"
	}
	return ""
}

// checkCountryForm looks at the form of every country. Small letters are named
// by a lint of zlint.
func checkCountryForm(name pkix.Name) []string {
	var details []string
	for _, code := range countries(name) {
		if !twoCapitals(strings.ToUpper(code)) {
			details = append(details, fmt.Sprintf("the country is %q, which is not two letters", code))
		}
	}
	return details
}

// leftovers is what programs propose for a name, and what templates write when
// a value is missing; in small letters.
var leftovers = []string{
	"internet widgits pty ltd", "some-state", "default city", "default company ltd", "my company", "my organization",
	"your company", "your organization", "company name", "organization name",
	"changeme", "change me", "todo", "fixme", "tbd", "<no value>", "<nil>", "none", "null", "undefined", ".", "-", "n/a",
}

// isLeftover says whether a value was never filled in.
func isLeftover(value string) bool {
	for _, mark := range []string{"{{", "}}", "${", "$(", "<%", "%>", "<no value>"} {
		if strings.Contains(value, mark) {
			return true
		}
	}
	return slices.Contains(leftovers, strings.ToLower(strings.TrimSpace(value)))
}

// checkPlaceholders looks for attributes that were never filled in.
func checkPlaceholders(name pkix.Name) []string {
	var details []string
	for _, attribute := range name.Names {
		if text, ok := attribute.Value.(string); ok && isLeftover(text) {
			details = append(details, fmt.Sprintf("%q in the subject was never filled in", text))
		}
	}
	return details
}

// checkPlaceholderNames looks for alternative names that were never filled in.
func checkPlaceholderNames(names []string) []string {
	var details []string
	for _, name := range names {
		if isLeftover(name) {
			details = append(details, fmt.Sprintf("the alternative name %q was never filled in", name))
		}
	}
	return details
}

// checkInvisible looks for characters that have no shape of their own and
// change how the others are read. Those that join letters belong to the writing
// of some languages, and are left alone.
func checkInvisible(o *object) []string {
	var details []string
	look := func(where, text string) {
		for _, r := range text {
			switch {
			case r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0x200e, r == 0x200f:
				details = append(details, fmt.Sprintf("%s has the character U+%04X, which turns the direction of writing", where, r))
			case r == 0x200b, r == 0x2060, r == 0xfeff, r == 0x00ad:
				details = append(details, fmt.Sprintf("%s has the character U+%04X, which nobody sees", where, r))
			}
		}
	}
	for _, attribute := range o.cert.Subject.Names {
		if text, ok := attribute.Value.(string); ok {
			look(fmt.Sprintf("attribute %s of the subject", attribute.Type), text)
		}
	}
	return slices.Compact(details)
}

// serves says whether a certificate is a server's: a leaf that has server
// authentication among its purposes.
func serves(c *x509.Certificate) bool {
	return !c.IsCA && slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
}

// looksLikeHost says whether a text is an address, or a DNS name of several
// labels.
func looksLikeHost(text string) bool {
	if _, err := netip.ParseAddr(text); err == nil {
		return true
	}
	labels := strings.Split(strings.TrimPrefix(text, "*."), ".")
	for _, label := range labels {
		if label == "" || strings.Trim(label, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" {
			return false
		}
	}
	// A version such as 1.2 is no host, and neither is a single label.
	return len(labels) > 1 && strings.Trim(labels[len(labels)-1], "0123456789") != ""
}

// namesHost says whether the alternative names have a host, by itself or below a
// wildcard.
func namesHost(c *x509.Certificate, host string) bool {
	if address, err := netip.ParseAddr(host); err == nil {
		return slices.ContainsFunc(c.IPAddresses, func(ip net.IP) bool {
			other, ok := netip.AddrFromSlice(ip)
			return ok && other.Unmap() == address.Unmap()
		}) || slices.Contains(c.DNSNames, host)
	}
	_, domain, _ := strings.Cut(host, ".")
	return slices.ContainsFunc(c.DNSNames, func(name string) bool {
		return strings.EqualFold(name, host) || strings.EqualFold(name, "*."+domain)
	})
}
