package spec

import (
	"encoding/asn1"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// AnyPolicy is the policy of those who set no limits (RFC 5280 §4.2.1.4).
const (
	AnyPolicy    = "any_policy"
	anyPolicyOID = "2.5.29.32.0"
)

// CertificatePolicy is one policy of a certificate (RFC 5280 §4.2.1.4).
type CertificatePolicy struct {
	Origin
	Identifier string   // object identifier, or AnyPolicy
	CPS        []string // URLs of practice statements
	Notice     string   // explicitText of a user notice
}

// OID gives the policy's object identifier.
func (p CertificatePolicy) OID() string {
	if p.Identifier == AnyPolicy {
		return anyPolicyOID
	}
	return p.Identifier
}

// Extension is an extension that this program does not make itself.
type Extension struct {
	Origin
	Identifier string
	Critical   bool
	DER        []byte // extnValue's content
}

// maxNotice is the upper bound of a notice (RFC 5280 §4.2.1.4).
const maxNotice = 200

// ownedExtensions says where the extensions are written that this program
// makes: a second of one kind makes a certificate invalid (RFC 5280 §4.2).
func ownedExtensions() map[string]string {
	return map[string]string{
		"2.5.29.9": "no argument; directory attributes are not supported", "2.5.29.14": "nothing, it follows from the key", "2.5.29.15": "nothing, a CA always has the same",
		"2.5.29.17": "nothing, CAs have none", "2.5.29.18": "nothing, CAs have none", "2.5.29.19": "path_length", "2.5.29.30": "a name_constraints block",
		"2.5.29.31": "urls in the issuer's crl block", "2.5.29.32": "a certificate_policy block", "2.5.29.35": "nothing, it follows from the issuer's key",
		"2.5.29.37": "extended_key_usage", "1.3.6.1.5.5.7.1.1": "ca_issuers_urls and the ocsp block of the issuer",
		"2.5.29.20": "nothing, it belongs to CRLs", "2.5.29.28": "nothing, it belongs to CRLs", "2.5.29.27": "nothing, it belongs to CRLs",
		"2.5.29.46": "nothing, delta CRLs are not in use", "1.3.6.1.4.1.11129.2.4.3": "nothing, a precertificate is never issued here",
	}
}

func (a *Authority) validateProfile(d *Diagnostics) {
	var policies []string
	for _, p := range a.Policies {
		p.validate(d)
		if slices.Contains(policies, p.OID()) {
			d.Report(p.Origin, "oid", "Policy listed twice", "%s stands in two certificate_policy blocks, and a certificate names each policy once (RFC 5280 §4.2.1.4). Merge them.", p.OID())
		}
		policies = append(policies, p.OID())
	}
	var extensions []string
	for _, e := range a.Extensions {
		e.validate(d)
		if slices.Contains(extensions, e.Identifier) {
			d.Report(e.Origin, "oid", "Extension listed twice", "%s stands in two extension blocks, and a certificate has each extension once (RFC 5280 §4.2). Remove one of them.", e.Identifier)
		}
		extensions = append(extensions, e.Identifier)
	}
}

func (p CertificatePolicy) validate(d *Diagnostics) {
	if !ValidOID(p.OID()) {
		d.Report(p.Origin, "oid", "Not an object identifier", "%q is not an object identifier. Write it as \"1.3.6.1.4.1.99999.1.2\", or \"any_policy\".", p.Identifier)
	}
	for _, u := range p.CPS {
		parsed, err := url.Parse(u)
		if err != nil || parsed.Host == "" || parsed.Scheme != "http" && parsed.Scheme != "https" || parsed.User != nil || !isASCII(u) {
			d.Report(p.Origin, "cps", "Not a URL", "%q is not a URL of a practice statement. Write it as \"https://pki.example.com/cps\".", u)
		}
	}
	if n := utf8.RuneCountInString(p.Notice); n > maxNotice || strings.ContainsFunc(p.Notice, invisible) {
		d.Report(p.Origin, "notice", "Notice that cannot be encoded", "A notice has %d characters at most and no control characters (RFC 5280 §4.2.1.4), and this has %d. Shorten it.", maxNotice, n)
	}
}

func (e Extension) validate(d *Diagnostics) {
	if where, owned := ownedExtensions()[e.Identifier]; owned {
		d.Report(e.Origin, "oid", "Extension with an argument of its own", "The extension %s comes from %s. Remove the extension block.", e.Identifier, where)
		return
	}
	if !ValidOID(e.Identifier) {
		d.Report(e.Origin, "oid", "Not an object identifier", "%q is not an object identifier. Write it as \"1.3.6.1.4.1.99999.1.3\".", e.Identifier)
	}
	var value asn1.RawValue
	if rest, err := asn1.Unmarshal(e.DER, &value); err != nil || len(rest) > 0 {
		d.Report(e.Origin, "der", "Not one value in DER", "The value of %s is %d bytes that are not exactly one value in DER. Write the content of the extension's octet string.", e.Identifier, len(e.DER))
	}
}

func checkDirectory(s string) error {
	name, err := ParseDirectoryName(s)
	if err == nil {
		err = name.Check()
	}
	if err != nil {
		return fmt.Errorf("%q is not a subtree of names: %w. Write it as \"C=DE, O=ACME\", the widest RDN first", s, err)
	}
	return nil
}
