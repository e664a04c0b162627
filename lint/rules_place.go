package lint

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// placeRules are about the URLs in a certificate.
func placeRules() []Rule {
	return []Rule{{
		ID: "e_ica_cdp_host_unroutable", Severity: Error, Object: ObjectCertificate,
		Title:     "status and issuer lie on a host that has a full name",
		Harm:      "a URL of the laboratory, baked into an authority for ten years",
		Citation:  "RFC 5280 §4.2.1.13, §4.2.2.1",
		Effective: rfc5280,
		Advice:    "name a host by its full DNS name: the URL stays in the certificate for years, and addresses change",
		applies:   func(o *object) bool { return !o.cert.root() && !o.cert.given.Lab },
		check:     checkHosts,
	}, {
		ID: "e_ca_dns_name_is_address", Severity: Error, Object: ObjectCertificate,
		Title:     "an address stands among the addresses, and not among the DNS names",
		Harm:      "clients that call the address look among iPAddress only, and refuse the server",
		Citation:  "RFC 5280 §4.2.1.6; RFC 6125 §1.7.2, RFC 9525 §6.4",
		Effective: rfc5280,
		Advice:    "write the address as iPAddress in the subject alternative name",
		applies:   always,
		check: func(o *object) []string {
			var details []string
			for _, name := range o.cert.DNSNames {
				if _, err := netip.ParseAddr(name); err == nil {
					details = append(details, fmt.Sprintf("the DNS name %q is an address", name))
				}
			}
			return details
		},
	}, {
		ID: "e_ica_cdp_points_at_own_crl", Severity: Error, Object: ObjectCertificate,
		Title:     "an authority's own status is looked up in its issuer's list, not in its own",
		Harm:      "step-ca's production guide itself: one URL for both lists, and validators find a list of the wrong issuer",
		Citation:  "RFC 5280 §4.2.1.13, §6.3.3 (b)",
		Effective: rfc5280,
		Advice:    "give the certificate the URL of its issuer's list: no authority can revoke itself",
		applies:   func(o *object) bool { return isSubordinate(o) && len(o.cert.given.OwnListURLs) > 0 },
		check: func(o *object) []string {
			var details []string
			for _, point := range o.cert.CRLDistributionPoints {
				if slices.Contains(o.cert.given.OwnListURLs, point) {
					details = append(details, fmt.Sprintf("the CRL distribution point %q is where the authority publishes its own list", point))
				}
			}
			return details
		},
	}, {
		ID: "e_ica_aia_wrong_issuer", Severity: Error, Object: ObjectCertificate,
		Title:     "the caIssuers URL leads to the issuer's certificate, in DER",
		Harm:      "Windows builds its chain from there, and cannot when it finds PEM or another certificate",
		Citation:  "RFC 5280 §4.2.2.1",
		Effective: rfc5280,
		Advice:    "publish the DER of the issuer's certificate under that URL",
		applies:   func(o *object) bool { return hasIssuer(o) && len(o.cert.given.Published) > 0 },
		check:     checkPublishedIssuer,
	}}
}

// checkHosts looks at the hosts of CDP and AIA.
func checkHosts(o *object) []string {
	c := o.cert
	var details []string
	for _, text := range slices.Concat(c.CRLDistributionPoints, c.OCSPServer, c.IssuingCertificateURL) {
		u, err := url.Parse(text)
		if err == nil && u.Scheme == "file" {
			details = append(details, fmt.Sprintf("%q is a file of the client itself", text))
		}
		if err != nil || u.Host == "" {
			continue // ldap without a host asks the client's own directory
		}
		host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
		_, addressErr := netip.ParseAddr(host)
		switch {
		case host == "localhost" || strings.HasSuffix(host, ".localhost"):
			details = append(details, fmt.Sprintf("%q is on the client itself", text))
		case addressErr == nil || net.ParseIP(host) != nil:
			details = append(details, fmt.Sprintf("%q names an address", text))
		case !strings.Contains(host, "."):
			details = append(details, fmt.Sprintf("%q names a host without a domain", text))
		}
	}
	return details
}

// checkPublishedIssuer looks at what lies under the caIssuers URLs. A bundle
// in PKCS #7 is allowed and not looked into.
func checkPublishedIssuer(o *object) []string {
	c := o.cert
	var details []string
	for _, place := range c.given.Published {
		if !slices.Contains(c.IssuingCertificateURL, place.URL) || strings.HasSuffix(place.URL, ".p7c") {
			continue
		}
		found, err := x509.ParseCertificate(place.Data)
		block, _ := pem.Decode(place.Data)
		switch {
		case block != nil:
			details = append(details, fmt.Sprintf("%q leads to PEM, and clients read DER", place.URL))
		case err != nil:
			details = append(details, fmt.Sprintf("%q leads to something that is no certificate", place.URL))
		case !bytes.Equal(found.RawSubject, c.RawIssuer) || !sameKey(found, c.issuer):
			details = append(details, fmt.Sprintf("%q leads to the certificate of %q, which is not the issuer", place.URL, found.Subject))
		}
	}
	return details
}
