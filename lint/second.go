package lint

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"

	ctx509 "github.com/google/certificate-transparency-go/x509"
	ctpkix "github.com/google/certificate-transparency-go/x509/pkix"
)

// secondReading reads a certificate that Go refuses with the parser of
// certificate transparency, which goes on after many mistakes, so that our
// rules still have something to say of it. It is nil when that cannot read it
// either.
func secondReading(der []byte) *x509.Certificate {
	c, err := guard(func(der []byte) (*ctx509.Certificate, error) {
		c, err := ctx509.ParseCertificate(der)
		if ctx509.IsFatal(err) {
			return nil, err
		}
		return c, nil
	}, der)
	if err != nil || c == nil || c.SerialNumber == nil {
		return nil
	}
	out := &x509.Certificate{
		Raw: c.Raw, RawTBSCertificate: c.RawTBSCertificate, RawSubjectPublicKeyInfo: c.RawSubjectPublicKeyInfo, RawSubject: c.RawSubject, RawIssuer: c.RawIssuer,
		Signature: c.Signature, SignatureAlgorithm: x509.SignatureAlgorithm(c.SignatureAlgorithm),
		PublicKeyAlgorithm: x509.PublicKeyAlgorithm(c.PublicKeyAlgorithm), PublicKey: c.PublicKey,
		Version: c.Version, SerialNumber: c.SerialNumber, Issuer: nameOf(c.RawIssuer), Subject: nameOf(c.RawSubject),
		NotBefore: c.NotBefore, NotAfter: c.NotAfter,
	}
	if c.Version >= 3 { // Go reads no extensions of older ones (RFC 5280 §4.1.2.9)
		copyExtensions(out, c)
	}
	return out
}

// copyExtensions takes over what stands in extensions.
func copyExtensions(out *x509.Certificate, c *ctx509.Certificate) {
	out.Extensions, out.KeyUsage = extensionsOf(c.Extensions), x509.KeyUsage(c.KeyUsage)
	out.BasicConstraintsValid, out.IsCA, out.MaxPathLen, out.MaxPathLenZero = c.BasicConstraintsValid, c.IsCA, c.MaxPathLen, c.MaxPathLenZero
	out.SubjectKeyId, out.AuthorityKeyId = c.SubjectKeyId, c.AuthorityKeyId
	out.OCSPServer, out.IssuingCertificateURL, out.CRLDistributionPoints = c.OCSPServer, c.IssuingCertificateURL, c.CRLDistributionPoints
	out.DNSNames, out.EmailAddresses, out.IPAddresses, out.URIs = c.DNSNames, c.EmailAddresses, c.IPAddresses, c.URIs
	out.PermittedDNSDomainsCritical, out.PermittedDNSDomains, out.ExcludedDNSDomains = c.PermittedDNSDomainsCritical, c.PermittedDNSDomains, c.ExcludedDNSDomains
	out.PermittedIPRanges, out.ExcludedIPRanges = c.PermittedIPRanges, c.ExcludedIPRanges
	out.PermittedEmailAddresses, out.ExcludedEmailAddresses = c.PermittedEmailAddresses, c.ExcludedEmailAddresses
	out.PermittedURIDomains, out.ExcludedURIDomains = c.PermittedURIDomains, c.ExcludedURIDomains
	// Go has learned these since: policy mappings and constraints, inhibit any.
	learned := []string{"2.5.29.33", "2.5.29.36", "2.5.29.54"}
	for _, oid := range c.UnhandledCriticalExtensions {
		if slices.Contains(learned, oid.String()) {
			continue
		}
		out.UnhandledCriticalExtensions = append(out.UnhandledCriticalExtensions, asn1.ObjectIdentifier(oid))
	}
	for _, oid := range c.UnknownExtKeyUsage {
		out.UnknownExtKeyUsage = append(out.UnknownExtKeyUsage, asn1.ObjectIdentifier(oid))
	}
	for _, oid := range c.PolicyIdentifiers {
		out.PolicyIdentifiers = append(out.PolicyIdentifiers, asn1.ObjectIdentifier(oid))
	}
	for _, u := range c.ExtKeyUsage {
		if known, same := goUsage(u); same {
			out.ExtKeyUsage = append(out.ExtKeyUsage, known)
		}
	}
}

// goUsage gives Go's name of a purpose. The two packages number them apart.
func goUsage(u ctx509.ExtKeyUsage) (x509.ExtKeyUsage, bool) {
	known, same := map[ctx509.ExtKeyUsage]x509.ExtKeyUsage{
		ctx509.ExtKeyUsageAny: x509.ExtKeyUsageAny, ctx509.ExtKeyUsageServerAuth: x509.ExtKeyUsageServerAuth,
		ctx509.ExtKeyUsageClientAuth: x509.ExtKeyUsageClientAuth, ctx509.ExtKeyUsageCodeSigning: x509.ExtKeyUsageCodeSigning,
		ctx509.ExtKeyUsageEmailProtection: x509.ExtKeyUsageEmailProtection, ctx509.ExtKeyUsageTimeStamping: x509.ExtKeyUsageTimeStamping,
		ctx509.ExtKeyUsageOCSPSigning: x509.ExtKeyUsageOCSPSigning,
	}[u]
	return known, same
}

func nameOf(der []byte) pkix.Name {
	var sequence pkix.RDNSequence
	var name pkix.Name
	if _, err := asn1.Unmarshal(der, &sequence); err == nil {
		name.FillFromRDNSequence(&sequence)
	}
	return name
}

func extensionsOf(all []ctpkix.Extension) []pkix.Extension {
	out := make([]pkix.Extension, len(all))
	for i, e := range all {
		out[i] = pkix.Extension{Id: asn1.ObjectIdentifier(e.Id), Critical: e.Critical, Value: e.Value}
	}
	return out
}
