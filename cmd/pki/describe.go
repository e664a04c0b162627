package main

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"net"
	"strings"
	"time"

	"pki.internal/plan"
	"pki.internal/plan/tbs/public"
	"pki.internal/spec"
)

// field is one line of a description.
type field struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// nameOf gives a name in the form of RFC 4514, RDN by RDN as it is encoded. A
// plus sign joins attributes only where they really share an RDN.
func nameOf(der []byte) string {
	var sequence pkix.RDNSequence
	if _, err := asn1.Unmarshal(der, &sequence); err != nil {
		return fmt.Sprintf("not a name: %s", err)
	}
	var name spec.Name
	for _, rdn := range sequence {
		for i, a := range rdn {
			text, isText := a.Value.(string)
			if !isText {
				return sequence.String() // with what is no text in hexadecimal
			}
			name = append(name, spec.NameAttribute{Type: a.Type.String(), Value: text, Joins: i > 0})
		}
	}
	return name.String()
}

// describeCertificate says in words what is in a certificate.
func describeCertificate(c *x509.Certificate) []field {
	issuer := nameOf(c.RawIssuer)
	if bytes.Equal(c.RawIssuer, c.RawSubject) {
		issuer += " (itself)"
	}
	fields := []field{
		{"Subject", nameOf(c.RawSubject)},
		{"Issuer", issuer},
		{"Serial", hex.EncodeToString(c.SerialNumber.Bytes())},
		{"Valid", validFrom(c.NotBefore, c.NotAfter)},
		{"Key", public.NameOf(c.RawSubjectPublicKeyInfo)},
		{"Signature", public.SignatureOf(c.SignatureAlgorithm, c.Raw)},
	}
	for _, e := range c.Extensions {
		fields = append(fields, describeExtension(e, c))
	}
	return fields
}

func validFrom(from, to time.Time) string {
	days := int(to.Sub(from).Hours()/24 + 0.5)
	return fmt.Sprintf("%s to %s, %s", instant(from), instant(to), count(days, "day"))
}

func describeExtension(e pkix.Extension, c *x509.Certificate) field {
	name, value := e.Id.String(), fmt.Sprintf("%x", e.Value)
	switch name {
	case "2.5.29.14":
		name, value = "subjectKeyIdentifier", hex.EncodeToString(c.SubjectKeyId)
	case "2.5.29.15":
		name, value = "keyUsage", keyUsages(c.KeyUsage)
	case "2.5.29.17":
		name, value = "subjectAltName", alternativeNames(c)
	case "2.5.29.19":
		name, value = "basicConstraints", basicConstraints(c)
	case "2.5.29.30":
		name, value = "nameConstraints", nameConstraints(c, e.Value)
	case "2.5.29.31":
		name, value = "cRLDistributionPoints", strings.Join(c.CRLDistributionPoints, " ")
	case "2.5.29.32":
		name, value = "certificatePolicies", policies(e.Value)
	case "2.5.29.35":
		name, value = "authorityKeyIdentifier", hex.EncodeToString(c.AuthorityKeyId)
	case "2.5.29.37":
		name, value = "extKeyUsage", extKeyUsages(c)
	case "1.3.6.1.5.5.7.48.1.5":
		name, value = "ocspNoCheck", "nobody asks whether it is revoked"
	case "1.3.6.1.5.5.7.1.1":
		name, value = "authorityInfoAccess", strings.TrimSpace("caIssuers "+strings.Join(c.IssuingCertificateURL, " "))
		if len(c.OCSPServer) > 0 {
			value += " ocsp " + strings.Join(c.OCSPServer, " ")
		}
	}
	if e.Critical {
		value = "critical, " + value
	}
	return field{name, value}
}

func keyUsages(u x509.KeyUsage) string {
	names := []string{"digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement", "keyCertSign", "cRLSign", "encipherOnly", "decipherOnly"}
	var set []string
	for bit, name := range names {
		if u&(1<<bit) != 0 {
			set = append(set, name)
		}
	}
	return strings.Join(set, ", ")
}

func alternativeNames(c *x509.Certificate) string {
	names := append([]string{}, c.DNSNames...)
	names = append(names, c.EmailAddresses...)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	for _, u := range c.URIs {
		names = append(names, u.String())
	}
	return strings.Join(names, ", ")
}

func basicConstraints(c *x509.Certificate) string {
	switch {
	case !c.IsCA:
		return "not a CA"
	case c.MaxPathLen > 0 || c.MaxPathLenZero:
		return fmt.Sprintf("CA, %s below it", count(c.MaxPathLen, "tier"))
	}
	return "CA, any number of tiers below it"
}

func nameConstraints(c *x509.Certificate, der []byte) string {
	var parts []string
	add := func(word string, values []string) {
		if len(values) > 0 {
			parts = append(parts, word+" "+strings.Join(values, " "))
		}
	}
	add("permitted DNS", c.PermittedDNSDomains)
	add("excluded DNS", c.ExcludedDNSDomains)
	add("permitted IP", networks(c.PermittedIPRanges))
	add("excluded IP", networks(c.ExcludedIPRanges))
	add("permitted email", c.PermittedEmailAddresses)
	add("excluded email", c.ExcludedEmailAddresses)
	add("permitted URI", c.PermittedURIDomains)
	add("excluded URI", c.ExcludedURIDomains)
	permitted, excluded := directoryConstraints(der)
	add("permitted directory", permitted)
	add("excluded directory", excluded)
	return strings.Join(parts, "; ")
}

func networks(nets []*net.IPNet) []string {
	var all []string
	for _, n := range nets {
		all = append(all, n.String())
	}
	return all
}

func extKeyUsages(c *x509.Certificate) string {
	names := map[x509.ExtKeyUsage]string{
		x509.ExtKeyUsageAny: "any", x509.ExtKeyUsageServerAuth: "serverAuth", x509.ExtKeyUsageClientAuth: "clientAuth",
		x509.ExtKeyUsageCodeSigning: "codeSigning", x509.ExtKeyUsageEmailProtection: "emailProtection",
		x509.ExtKeyUsageTimeStamping: "timeStamping", x509.ExtKeyUsageOCSPSigning: "OCSPSigning",
	}
	var all []string
	for _, u := range c.ExtKeyUsage {
		name, known := names[u]
		if !known {
			name = fmt.Sprintf("usage %d", u)
		}
		all = append(all, name)
	}
	for _, oid := range c.UnknownExtKeyUsage {
		all = append(all, oid.String())
	}
	return strings.Join(all, ", ")
}

// describeCRL says in words what is in a revocation list.
func describeCRL(l *x509.RevocationList) []field {
	number := "none"
	if l.Number != nil {
		number = l.Number.String()
	}
	fields := []field{
		{"Issuer", nameOf(l.RawIssuer)},
		{"Number", number},
		{"This update", instant(l.ThisUpdate)},
		{"Next update", instant(l.NextUpdate)},
		{"Signature", public.SignatureOf(l.SignatureAlgorithm, l.Raw)},
		{"Revoked", count(len(l.RevokedCertificateEntries), "certificate")},
	}
	for _, e := range l.Extensions {
		switch e.Id.String() {
		case "2.5.29.20":
		case "2.5.29.35":
			fields = append(fields, field{"authorityKeyIdentifier", hex.EncodeToString(l.AuthorityKeyId)})
		case "2.5.29.28":
			fields = append(fields, field{"issuingDistributionPoint", describeIDP(e)})
		default:
			fields = append(fields, field{e.Id.String(), fmt.Sprintf("%x", e.Value)})
		}
	}
	const shown = 20
	for i, entry := range l.RevokedCertificateEntries {
		if i == shown {
			fields = append(fields, field{"", fmt.Sprintf("and %d more", len(l.RevokedCertificateEntries)-shown)})
			break
		}
		fields = append(fields, field{hex.EncodeToString(entry.SerialNumber.Bytes()), instant(entry.RevocationTime) + ", " + reasonName(entry.ReasonCode)})
	}
	return fields
}

// describeIDP lists the URLs and the scope of an issuing distribution point.
func describeIDP(e pkix.Extension) string {
	var idp struct {
		Name struct {
			FullName []asn1.RawValue `asn1:"optional,tag:0"`
		} `asn1:"optional,tag:0"`
		OnlyUser bool `asn1:"optional,tag:1"`
		OnlyCA   bool `asn1:"optional,tag:2"`
	}
	if _, err := asn1.Unmarshal(e.Value, &idp); err != nil {
		return fmt.Sprintf("%x", e.Value)
	}
	var parts []string
	for _, n := range idp.Name.FullName {
		parts = append(parts, string(n.Bytes))
	}
	if idp.OnlyUser {
		parts = append(parts, "only user certificates")
	}
	if idp.OnlyCA {
		parts = append(parts, "only CA certificates")
	}
	text := strings.Join(parts, ", ")
	if e.Critical {
		text = "critical, " + text
	}
	return text
}

// reasonName gives the word of RFC 5280 §5.3.1.
func reasonName(code int) string {
	names := []string{"unspecified", "keyCompromise", "cACompromise", "affiliationChanged", "superseded", "cessationOfOperation", "certificateHold", "", "removeFromCRL", "privilegeWithdrawn", "aACompromise"}
	if code >= 0 && code < len(names) && names[code] != "" {
		return names[code]
	}
	return fmt.Sprintf("reason %d", code)
}

// describeCSR says in words what a request asks for.
func describeCSR(r *x509.CertificateRequest) []field {
	proof := "proves possession of the key"
	if err := public.CheckRequest(r); err != nil {
		proof = "does NOT prove possession of the key: " + err.Error()
	}
	fields := []field{
		{"Subject", nameOf(r.RawSubject)},
		{"Key", public.NameOf(r.RawSubjectPublicKeyInfo)},
		{"Signature", public.SignatureOf(r.SignatureAlgorithm, r.Raw) + ", " + proof},
	}
	for _, e := range r.Extensions {
		fields = append(fields, field{"asks for " + plan.ExtensionName(e.Id.String()), requested(e)})
	}
	return fields
}

// requested says in words what requests for authorities ask for.
func requested(e pkix.Extension) string {
	value := fmt.Sprintf("%x", e.Value)
	switch e.Id.String() {
	case "2.5.29.15":
		var bits asn1.BitString
		if rest, err := asn1.Unmarshal(e.Value, &bits); err == nil && len(rest) == 0 {
			usage := x509.KeyUsage(0)
			for i := range min(bits.BitLength, 9) {
				usage |= x509.KeyUsage(bits.At(i) << i)
			}
			value = keyUsages(usage)
		}
	case "2.5.29.19":
		var c struct {
			CA         bool `asn1:"optional"`
			PathLength int  `asn1:"optional,default:-1"`
		}
		if rest, err := asn1.Unmarshal(e.Value, &c); err == nil && len(rest) == 0 {
			value = basicConstraints(&x509.Certificate{IsCA: c.CA, MaxPathLen: c.PathLength, MaxPathLenZero: c.PathLength == 0, BasicConstraintsValid: true})
		}
	}
	if e.Critical {
		value = "critical, " + value
	}
	return value
}
