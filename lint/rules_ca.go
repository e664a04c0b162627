package lint

import (
	"bytes"
	"fmt"

	"pki.internal/plan/tbs/public"
)

// hasSigner applies to a certificate whose issuer's certificate is at hand;
// a root is its own.
func hasSigner(o *object) bool { return o.cert.signer() != nil }

// hasIssuer applies to a certificate whose issuer is another certificate that
// is at hand.
func hasIssuer(o *object) bool { return o.cert.issuer != nil }

// authorityRules compare a certificate with the certificate of its issuer.
func authorityRules() []Rule {
	return []Rule{{
		ID: "e_ca_aki_issuer_ski_mismatch", Severity: Error, Object: ObjectCertificate,
		Title:     "the authority key identifier is the issuer's subject key identifier",
		Harm:      "keys that were made again under an old template: OpenSSL and Windows then find no path, or the wrong one",
		Citation:  "RFC 5280 §4.2.1.1, §4.2.1.2",
		Effective: rfc5280,
		Advice:    "copy the identifier from the issuer's certificate, or name the issuer that was meant",
		applies:   func(o *object) bool { return hasSigner(o) && len(o.cert.AuthorityKeyId) > 0 },
		check:     checkAuthorityKeyID,
	}, {
		ID: "e_ca_issuer_dn_not_byte_equal", Severity: Error, Object: ObjectCertificate,
		Title:     "the issuer's name is, byte for byte, the subject of the issuer's certificate",
		Harm:      "chains that work everywhere but in Go, which compares names octet by octet",
		Citation:  "RFC 5280 §4.1.2.4, §7.1",
		Effective: rfc5280,
		Advice:    "copy the encoded subject of the issuer's certificate instead of encoding the name again",
		applies:   hasIssuer,
		check:     checkIssuerName,
	}, {
		ID: "e_ca_signature_not_by_issuer", Severity: Error, Object: ObjectCertificate,
		Title:     "the signature verifies under the issuer's key",
		Harm:      "tokens with two keys of one label: the wrong one signed, and nobody noticed before the first client",
		Citation:  "RFC 5280 §6.1.3 (a)(1)",
		Effective: rfc5280,
		Advice:    "find out which key signed: a token may hold two keys of one label; do not publish the certificate",
		applies:   func(o *object) bool { return hasIssuer(o) && !o.cert.given.Draft },
		check:     checkIssuerSignature,
	}, {
		ID: "e_ca_not_after_exceeds_issuer", Severity: Error, Object: ObjectCertificate,
		Title:     "the certificate does not outlive its issuer",
		Harm:      "AddTrust in May 2020 and DST Root X3 in September 2021: leaves that were still good stopped with their root",
		Citation:  "RFC 5280 §6.1.3 (a)(2)",
		Effective: rfc5280,
		Advice:    "end the certificate with its issuer's, or renew the issuer first",
		applies:   hasIssuer,
		check:     checkNotAfter,
	}, {
		ID: "e_ca_not_before_precedes_issuer", Severity: Error, Object: ObjectCertificate,
		Title:     "the certificate is not older than its issuer",
		Harm:      "a certificate that was dated before its root was born: auditors ask who could have signed it",
		Citation:  "RFC 5280 §6.1.3 (a)(2)",
		Effective: rfc5280,
		Advice:    "start the certificate when its issuer's starts, or later",
		applies:   hasIssuer,
		check:     checkNotBefore,
	}}
}

// checkAuthorityKeyID compares the identifier with the signer's. An issuer
// without one leaves nothing that the certificate could have copied.
func checkAuthorityKeyID(o *object) []string {
	c, signer := o.cert, o.cert.signer()
	switch {
	case bytes.Equal(c.AuthorityKeyId, signer.SubjectKeyId):
		return nil
	case len(signer.SubjectKeyId) == 0:
		return []string{fmt.Sprintf("the authority key identifier is %x, and the issuer has no subject key identifier", c.AuthorityKeyId)}
	}
	return []string{fmt.Sprintf("the authority key identifier is %x, the issuer's subject key identifier is %x", c.AuthorityKeyId, signer.SubjectKeyId)}
}

// checkIssuerName compares the encoded names, as Go does: names that only look
// alike break the chain for such clients and for no others.
func checkIssuerName(o *object) []string {
	c, issuer := o.cert, o.cert.issuer
	if bytes.Equal(c.RawIssuer, issuer.RawSubject) {
		return nil
	}
	if c.Issuer.String() == issuer.Subject.String() {
		return []string{fmt.Sprintf("the issuer %q reads like the subject of the issuer's certificate, but is encoded differently: %x, not %x",
			c.Issuer, c.RawIssuer, issuer.RawSubject)}
	}
	return []string{fmt.Sprintf("the issuer is %q, the subject of the issuer's certificate is %q", c.Issuer, issuer.Subject)}
}

// checkIssuerSignature verifies the signature under the issuer's key.
func checkIssuerSignature(o *object) []string {
	c, issuer := o.cert, o.cert.issuer
	if err := public.CheckCertificate(c.Certificate, issuer); err != nil {
		return []string{fmt.Sprintf("the signature does not verify under the key of %q: %v", issuer.Subject, err)}
	}
	return nil
}

// checkNotAfter compares the end with the issuer's.
func checkNotAfter(o *object) []string {
	if c, issuer := o.cert, o.cert.issuer; c.NotAfter.After(issuer.NotAfter) && (c.IsCA || !endless(c.Certificate)) {
		return []string{fmt.Sprintf("valid until %s, its issuer only until %s", date(c.NotAfter), date(issuer.NotAfter))}
	}
	return nil
}

// checkNotBefore compares the start with the issuer's.
func checkNotBefore(o *object) []string {
	if c, issuer := o.cert, o.cert.issuer; c.NotBefore.Before(issuer.NotBefore) {
		return []string{fmt.Sprintf("valid from %s, its issuer only from %s", date(c.NotBefore), date(issuer.NotBefore))}
	}
	return nil
}
