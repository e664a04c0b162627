package lint

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/x509"
	"fmt"
)

// always applies to every object of the rule's kind.
func always(*object) bool { return true }

// keyRules are about a certificate's key, number and place.
func keyRules() []Rule {
	return []Rule{{
		ID: "e_ca_serial_low_entropy", Severity: Error, Object: ObjectCertificate,
		Title:     "the serial number is long enough to be unpredictable",
		Harm:      "millions of certificates were replaced in 2019, because EJBCA's numbers had 63 bits",
		Citation:  "CABF BR §7.1.2 (serialNumber); RFC 5280 §4.1.2.2",
		Effective: ballot164,
		Advice:    "draw at least 72 random bits, so that a number with leading zeros stays long enough",
		// What is signed is judged by the rules of its day; what is going to be
		// signed, by those of the ceremony's.
		applies: func(o *object) bool { return o.cert.given.Draft || !o.cert.NotBefore.Before(ballot164) },
		check:   checkSerial,
	}, {
		ID: "e_ca_key_reused_in_hierarchy", Severity: Error, Object: ObjectCertificate,
		Title:     "no two authorities share a key",
		Harm:      "an issuing authority that was made with its root's key on the token: the root was online from then on",
		Citation:  "NIST SP 800-57 part 1 rev. 5 §5.2",
		Effective: sp80057,
		Advice:    "make a new key for this certificate; if it is a renewal or a cross-certificate, declare it as one",
		applies:   always,
		check:     checkKeyReuse,
	}, {
		ID: "e_ca_hash_weaker_than_key", Severity: Error, Object: ObjectCertificate,
		Title:     "the digest that is signed is as strong as the issuer's key",
		Harm:      "defaults of PKCS #11 programs: a P-384 key that is as strong as its SHA-256, or a root that SHA-1 gives away",
		Citation:  "NIST SP 800-57 part 1 rev. 5 §5.6.1.2; RFC 5480 §4",
		Effective: sp80057,
		Advice:    "sign with SHA-256 under RSA and P-256, SHA-384 under P-384, SHA-512 under P-521",
		// Nobody relies on the signature of a trust anchor, so that of an old one may
		// stay as it is.
		applies: func(o *object) bool {
			return hasSigner(o) && (o.cert.given.Draft || !o.cert.root() || !o.cert.NotBefore.Before(sp800131a))
		},
		check: func(o *object) []string {
			return checkDigest(o.cert.SignatureAlgorithm, o.cert.signer())
		},
	}, {
		ID: "e_ca_expired", Severity: Error, Object: ObjectCertificate,
		Title:     "the certificate has not ended",
		Harm:      "Ericsson's switches in December 2018: 32 million phones without a network for a day",
		Citation:  "RFC 5280 §4.1.2.5, §6.1.3 (a)(2)",
		Effective: rfc5280,
		Advice:    "renew it; if it is new, correct its dates or the clock",
		applies:   func(o *object) bool { return !o.now.IsZero() },
		check: func(o *object) []string {
			if o.now.After(o.cert.NotAfter) {
				return []string{fmt.Sprintf("valid until %s, and it is %s", date(o.cert.NotAfter), date(o.now))}
			}
			return nil
		},
	}, {
		ID: "e_ca_contradicts_role", Severity: Error, Object: ObjectCertificate,
		Title:     "the certificate is what the estate says it is",
		Harm:      "TURKTRUST in 2011: two customers were given authorities in place of server certificates",
		Citation:  "RFC 5280 §3.2, §4.2.1.9",
		Effective: rfc5280,
		Advice:    "set the CA flag and the issuer that the role asks for, or correct the role",
		applies:   func(o *object) bool { return o.cert.given.Role != RoleUnknown },
		check:     checkRole,
	}}
}

// checkSerial counts the bits of the serial number. What was drawn cannot be
// told from one number, so its length stands for it.
func checkSerial(o *object) []string {
	if bits := o.cert.SerialNumber.BitLen(); bits < minSerialBits {
		return []string{fmt.Sprintf("serial number %x has %d bits, fewer than %d", o.cert.SerialNumber, bits, minSerialBits)}
	}
	return nil
}

// checkKeyReuse looks for the certificate's key among the issuer and the other
// authorities.
func checkKeyReuse(o *object) []string {
	c := o.cert
	var details []string
	if c.issuer != nil && !c.root() && bytes.Equal(c.RawSubjectPublicKeyInfo, c.issuer.RawSubjectPublicKeyInfo) {
		details = append(details, fmt.Sprintf("the key is that of its own issuer %q", c.issuer.Subject))
	}
	var owners []string
	for _, other := range c.given.OtherKeys {
		if bytes.Equal(c.RawSubjectPublicKeyInfo, other.SPKI) {
			owners = append(owners, other.Owner)
		}
	}
	if len(owners) > 0 {
		details = append(details, "the key is also the key of "+fewOf(owners))
	}
	return details
}

// checkDigest compares the strength of the digest in a signature algorithm
// with that of the key that signs.
func checkDigest(algorithm x509.SignatureAlgorithm, signer *x509.Certificate) []string {
	need := crypto.SHA256.Size() * 8
	if key, ok := signer.PublicKey.(*ecdsa.PublicKey); ok {
		// P-521 is matched by SHA-512: no digest is longer.
		need = min(max(need, key.Curve.Params().BitSize), crypto.SHA512.Size()*8)
	}
	have := digestBits(algorithm)
	if have == 0 || have >= need {
		return nil
	}
	return []string{fmt.Sprintf("signed with %s, a digest of %d bits; the issuer's key asks for %d", algorithm, have, need)}
}

// digestBits is the length of the digest of an algorithm; zero for algorithms
// that have their own (Ed25519) or are unknown.
func digestBits(algorithm x509.SignatureAlgorithm) int {
	switch algorithm {
	case x509.MD2WithRSA, x509.MD5WithRSA:
		return 128
	case x509.SHA1WithRSA, x509.DSAWithSHA1, x509.ECDSAWithSHA1:
		return 160
	case x509.SHA256WithRSA, x509.SHA256WithRSAPSS, x509.DSAWithSHA256, x509.ECDSAWithSHA256:
		return 256
	case x509.SHA384WithRSA, x509.SHA384WithRSAPSS, x509.ECDSAWithSHA384:
		return 384
	case x509.SHA512WithRSA, x509.SHA512WithRSAPSS, x509.ECDSAWithSHA512:
		return 512
	}
	return 0
}

// checkRole compares the certificate with the role that it was given.
func checkRole(o *object) []string {
	c, role := o.cert, o.cert.given.Role
	var details []string
	if authority := role != RoleLeaf; c.IsCA != authority {
		details = append(details, fmt.Sprintf("the role is %s, and the CA flag of basicConstraints is %t", role, c.IsCA))
	}
	if root := role == RoleRoot; c.root() != root {
		if root {
			details = append(details, fmt.Sprintf("the role is root, and the issuer %q is not the subject %q with its own key", c.Issuer, c.Subject))
		} else {
			details = append(details, fmt.Sprintf("the role is %s, and %q is its own issuer", role, c.Subject))
		}
	}
	return details
}
