package lint

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// urlRules are about whether a client can follow the URLs in a certificate.
func urlRules() []Rule {
	return []Rule{{
		ID: "e_ca_url_malformed", Severity: Error, Object: ObjectCertificate,
		Title:     "a URL of status or issuer is one",
		Harm:      "a slip that stays in the certificate until it ends: no client ever finds the list",
		Citation:  "RFC 5280 §4.2.1.6, §4.2.1.13, §4.2.2.1; RFC 3986 §3",
		Effective: rfc5280,
		Advice:    "write the whole URL, such as http://pki.acme.example/root.crl",
		applies:   func(o *object) bool { return len(followed(o.cert)) > 0 },
		check: func(o *object) []string {
			var details []string
			for _, text := range followed(o.cert) {
				if fault := urlFault(text); fault != "" {
					details = append(details, fmt.Sprintf("%q %s", text, fault))
				}
			}
			return details
		},
	}, {
		ID: "w_ca_url_of_other_file", Severity: Warn, Object: ObjectCertificate,
		Title:     "a URL leads to what it stands for, in DER",
		Harm:      "Windows and OpenSSL read DER there, and say that the list is not to be had",
		Citation:  "RFC 5280 §4.2.1.13, §4.2.2.1; RFC 2585 §4.1, §4.2",
		Effective: rfc5280,
		Advice:    "publish a .crl for the list and a .cer for the certificate, in DER, and name those",
		applies:   func(o *object) bool { return len(followed(o.cert)) > 0 },
		check:     checkFileNames,
	}}
}

// followed is the URLs that clients follow.
func followed(c *certificate) []string {
	return slices.Concat(c.CRLDistributionPoints, c.OCSPServer, c.IssuingCertificateURL)
}

// urlFault says what is wrong with a URL; it is empty when nothing is.
func urlFault(text string) string {
	if isLeftover(text) {
		return "was never filled in"
	}
	for _, r := range text {
		if r <= ' ' || r > '~' {
			return fmt.Sprintf("has the character %q, which no URL has", r)
		}
	}
	u, err := url.Parse(text)
	if err != nil {
		return "cannot be read as a URL"
	}
	webby := u.Scheme == "http" || u.Scheme == "https" || u.Scheme == "ftp"
	port, _ := strconv.Atoi(u.Port())
	switch {
	case u.Scheme == "" || strings.Contains(u.Scheme, "."):
		return "has no scheme"
	case webby && u.Hostname() == "":
		return "names no host"
	case port > 1<<16-1:
		return fmt.Sprintf("has port %d, beyond the last one", port)
	case u.User != nil:
		return "has a user, whose password everybody can read and no client sends"
	}
	return ""
}

// checkFileNames looks at the endings of the paths.
func checkFileNames(o *object) []string {
	var details []string
	look := func(urls []string, what string, wrong ...string) {
		for _, text := range urls {
			u, err := url.Parse(text)
			if err != nil {
				continue
			}
			for _, ending := range wrong {
				if strings.HasSuffix(strings.ToLower(u.Path), ending) {
					details = append(details, fmt.Sprintf("%q looks like %s", text, what))
				}
			}
		}
	}
	const text = "PEM, and clients read DER"
	look(o.cert.CRLDistributionPoints, text, ".pem", "/pem", ".txt")
	look(o.cert.CRLDistributionPoints, "a certificate, and it is to be a list", ".crt", ".cer", ".p7b", ".p7c")
	look(o.cert.IssuingCertificateURL, text, ".pem", "/pem", ".txt")
	look(o.cert.IssuingCertificateURL, "a list, and it is to be a certificate", ".crl")
	return details
}
