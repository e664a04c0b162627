package lint

import (
	"bytes"
	"crypto/x509"
	"fmt"

	"pki.internal/plan/tbs/public"
)

// hasListIssuer applies to a list whose issuer's certificate is at hand.
func hasListIssuer(o *object) bool { return o.crl.issuer != nil }

// revocationIssuerRules compare a list with the certificate of its issuer.
func revocationIssuerRules() []Rule {
	return []Rule{{
		ID: "e_crlx_aki_not_issuer_ski", Severity: Error, Object: ObjectCRL,
		Title:     "the authority key identifier is the issuer's subject key identifier",
		Harm:      "clients with two keys of one name pick the list of the old one",
		Citation:  "RFC 5280 §5.2.1",
		Effective: rfc5280,
		Advice:    "copy the identifier from the certificate of the key that signs the list",
		applies:   func(o *object) bool { return hasListIssuer(o) && len(o.crl.AuthorityKeyId) > 0 },
		check:     checkListKeyID,
	}, {
		ID: "e_crlx_issuer_dn_not_byte_equal", Severity: Error, Object: ObjectCRL,
		Title:     "the issuer's name is, byte for byte, the subject of the issuer's certificate",
		Harm:      "Go and NSS look lists up by name, octet by octet, and find none",
		Citation:  "RFC 5280 §5.1.2.3, §6.3.3 (b)(1)",
		Effective: rfc5280,
		Advice:    "copy the encoded subject of the issuer's certificate; lists are looked up by that name",
		applies:   hasListIssuer,
		check:     checkListIssuerName,
	}, {
		ID: "e_crlx_next_update_after_issuer_expiry", Severity: Error, Object: ObjectCRL,
		Title:     "the list does not outlive its issuer's certificate",
		Harm:      "no later list can take its place when its signer has ended",
		Citation:  "RFC 5280 §5.1.2.5, §6.3.3 (f)",
		Effective: rfc5280,
		Advice:    "end the list with the certificate: no later list can replace it",
		applies:   hasListIssuer,
		check:     checkListOutlives,
	}, {
		ID: "e_crlx_issuer_lacks_crlsign", Severity: Error, Object: ObjectCRL,
		Title:     "the issuer's certificate allows it to sign lists",
		Harm:      "OpenSSL: key usage does not include CRL signing; revocation is then unknown everywhere",
		Citation:  "RFC 5280 §4.2.1.3, §6.3.3 (f)",
		Effective: rfc5280,
		Advice:    "issue the authority a certificate with cRLSign in its key usage",
		// Without the extension every use is allowed; zlint asks for it.
		applies: func(o *object) bool { return hasListIssuer(o) && o.crl.issuer.KeyUsage != 0 },
		check:   checkListKeyUsage,
	}, {
		ID: "e_crlx_signature_not_by_issuer", Severity: Error, Object: ObjectCRL,
		Title:     "the signature verifies under the issuer's key",
		Harm:      "the wrong key on the token signed: clients that insist on a list refuse everything",
		Citation:  "RFC 5280 §6.3.3 (g)",
		Effective: rfc5280,
		Advice:    "find out which key signed: a token may hold two keys of one label; do not publish the list",
		applies:   func(o *object) bool { return hasListIssuer(o) && !o.crl.given.Draft },
		check:     checkListSignature,
	}, {
		ID: "e_crlx_hash_weaker_than_key", Severity: Error, Object: ObjectCRL,
		Title:     "the digest that is signed is as strong as the issuer's key",
		Harm:      "a list that can be forged lifts every revocation",
		Citation:  "NIST SP 800-57 part 1 rev. 5 §5.6.1.2; RFC 5480 §4",
		Effective: sp80057,
		Advice:    "sign with SHA-256 under RSA and P-256, SHA-384 under P-384, SHA-512 under P-521",
		applies:   hasListIssuer,
		check:     func(o *object) []string { return checkDigest(o.crl.SignatureAlgorithm, o.crl.issuer) },
	}}
}

// checkListKeyID compares the key identifiers.
func checkListKeyID(o *object) []string {
	if c, issuer := o.crl, o.crl.issuer; !bytes.Equal(c.AuthorityKeyId, issuer.SubjectKeyId) {
		return []string{fmt.Sprintf("the authority key identifier is %x, the issuer's subject key identifier is %x", c.AuthorityKeyId, issuer.SubjectKeyId)}
	}
	return nil
}

// checkListIssuerName compares the encoded names.
func checkListIssuerName(o *object) []string {
	if c, issuer := o.crl, o.crl.issuer; !bytes.Equal(c.RawIssuer, issuer.RawSubject) {
		return []string{fmt.Sprintf("the issuer is %q (%x), the subject of the issuer's certificate is %q (%x)", c.Issuer, c.RawIssuer, issuer.Subject, issuer.RawSubject)}
	}
	return nil
}

// checkListOutlives compares the list's end with the certificate's.
func checkListOutlives(o *object) []string {
	if c, issuer := o.crl, o.crl.issuer; c.NextUpdate.After(issuer.NotAfter) {
		return []string{fmt.Sprintf("the next update is due on %s, the issuer's certificate ends on %s", date(c.NextUpdate), date(issuer.NotAfter))}
	}
	return nil
}

// checkListKeyUsage looks for cRLSign.
func checkListKeyUsage(o *object) []string {
	if issuer := o.crl.issuer; issuer.KeyUsage&x509.KeyUsageCRLSign == 0 {
		return []string{fmt.Sprintf("the key usage of %q lacks cRLSign: no relying party takes a list from it", issuer.Subject)}
	}
	return nil
}

// checkListSignature verifies the signature under the issuer's key.
func checkListSignature(o *object) []string {
	c, issuer := o.crl, o.crl.issuer
	if err := public.CheckList(c.RevocationList, issuer); err != nil {
		return []string{fmt.Sprintf("the signature does not verify under the key of %q: %v", issuer.Subject, err)}
	}
	return nil
}
