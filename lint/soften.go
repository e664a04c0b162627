package lint

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/zmap/zcrypto/x509"
)

// soften lowers, in profile private, what zlint says of a certificate that a
// private hierarchy rightly has. The table of the profile says what holds for
// every certificate; this is what depends on the certificate.
func (z *zlints) soften(c *x509.Certificate, found []Finding) []Finding {
	if !z.terse {
		return found
	}
	for i, f := range found {
		switch f.Lint {
		case "e_subj_email_not_in_san":
			// Only mail programs look there; an authority's address is for people.
			if c.IsCA || !slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageEmailProtection) {
				found[i].Severity = Notice
			}
		case "e_dnsname_bad_character_in_label", "e_dnsname_label_too_long", "e_dnsname_empty_label", "e_dnsname_wildcard_only_in_left_label", "e_dnsname_left_label_wildcard_correct":
			// zlint reads the common name as a host, which system:node:worker is
			// not meant to be. What clients compare is the alternative names.
			if !looksLikeHost(c.Subject.CommonName) && !slices.ContainsFunc(c.DNSNames, isOddHost) {
				found[i].Severity = Notice
			}
		case "e_ext_san_missing":
			// A device or a person is known by its subject (IEEE 802.1AR §8).
			if len(c.ExtKeyUsage)+len(c.UnknownExtKeyUsage) == 0 && !looksLikeHost(c.Subject.CommonName) {
				found[i].Severity = Notice
			}
		case "e_ext_authority_key_identifier_no_key_identifier":
			// RFC 5280 §4.2.1.1 lets a self-signed certificate go without.
			if c.AuthorityKeyId == nil && c.SelfSigned {
				found[i].Severity = Notice
			}
		}
	}
	return found
}

// isOddHost says whether a DNS name is none, or has a wildcard in an odd place.
func isOddHost(name string) bool {
	host := strings.TrimPrefix(name, "*.")
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	for label := range strings.SplitSeq(host, ".") {
		const longest = 63 // octets of a label, RFC 1034 §3.1
		if label == "" || len(label) > longest || strings.Trim(label, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" {
			return true
		}
	}
	return false
}
