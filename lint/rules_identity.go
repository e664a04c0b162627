package lint

import (
	"bytes"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"slices"

	"pki.internal/plan/tbs/public"
)

// identityRules are about what tells one certificate and one key from another.
func identityRules() []Rule {
	return []Rule{{
		ID: "e_ca_serial_not_unique", Severity: Error, Object: ObjectCertificate,
		Title:     "no other certificate of the issuer has the serial number",
		Harm:      "browsers refuse the second (SEC_ERROR_REUSED_ISSUER_AND_SERIAL), and one revocation hits both",
		Citation:  "RFC 5280 §4.1.2.2",
		Effective: rfc5280,
		Advice:    "draw another serial number: a revocation would hit both certificates, and browsers refuse the second",
		applies:   hasOthers,
		check:     checkSerialUnique,
	}, {
		ID: "w_ca_serial_high_bit_padding", Severity: Warn, Object: ObjectCertificate,
		Title:     "the serial number fits 20 octets with its sign",
		Harm:      "generators that draw 160 bits make a number that is too long every other time",
		Citation:  "RFC 5280 §4.1.2.2",
		Effective: rfc5280,
		Advice:    "draw at most 159 bits: a number of 160 bits takes a 21st octet whenever its first bit is set",
		applies:   always,
		check:     checkSerialLength,
	}, {
		ID: "e_ca_ski_not_rfc_method", Severity: Error, Object: ObjectCertificate,
		Title:     "an authority's subject key identifier is derived from its own key",
		Harm:      "identifiers that were copied from another certificate lead path builders to the wrong key",
		Citation:  "RFC 5280 §4.2.1.2; RFC 7093 §2",
		Effective: rfc5280,
		Advice:    "derive the identifier from the key of this certificate; it may have been copied from another one",
		applies:   func(o *object) bool { return o.cert.IsCA && len(o.cert.SubjectKeyId) > 0 },
		check:     checkSubjectKeyID,
	}, {
		ID: "w_ca_subject_reused_new_key", Severity: Warn, Object: ObjectCertificate,
		Title:     "two authorities with different keys have different names",
		Harm:      "path builders look for names first, take the dead twin and give up",
		Citation:  "RFC 5280 §3.2, §4.2.1.1",
		Effective: rfc5280,
		Advice:    "give each generation its own name, such as G2: path builders look for names first and may take the dead twin",
		applies:   func(o *object) bool { return hasOthers(o) && o.cert.IsCA },
		check:     checkSubjectReused,
	}, {
		ID: "e_ca_roca_fingerprint", Severity: Error, Object: ObjectCertificate,
		Title:     "the RSA modulus does not have the fingerprint of Infineon's broken generator",
		Harm:      "Estonia's identity cards and YubiKey 4 in 2017: private keys computed from public ones",
		Citation:  "CVE-2017-15361; CABF BR §6.1.1.3 (5)",
		Effective: roca,
		Advice:    "make a new key elsewhere: the private half of this one can be computed from the public half",
		applies:   func(o *object) bool { _, is := o.cert.PublicKey.(*rsa.PublicKey); return is },
		check:     checkROCA,
	}}
}

// hasOthers applies where other certificates of the estate are known.
func hasOthers(o *object) bool { return len(o.cert.others) > 0 }

// checkSerialUnique looks for the issuer's other certificates.
func checkSerialUnique(o *object) []string {
	c := o.cert
	var owners []string
	for _, other := range c.others {
		same := bytes.Equal(other.RawIssuer, c.RawIssuer) && other.SerialNumber.Cmp(c.SerialNumber) == 0
		if same && !bytes.Equal(other.RawTBSCertificate, c.RawTBSCertificate) {
			owners = append(owners, other.owner)
		}
	}
	if len(owners) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("serial number %x of issuer %q is already that of %s", c.SerialNumber, c.Issuer, fewOf(owners))}
}

// checkSerialLength counts the octets of the encoded number. Its sign takes a
// bit.
func checkSerialLength(o *object) []string {
	const octets = 20
	if n := o.cert.SerialNumber.BitLen()/8 + 1; n > octets {
		return []string{fmt.Sprintf("serial number %x takes %d octets, more than %d", o.cert.SerialNumber, n, octets)}
	}
	return nil
}

// checkSubjectKeyID tries the methods of both documents. Any digest of the key,
// cut to no fewer than 64 bits from the left, counts: who derives the
// identifier from the key gets a unique one, which is what matters.
func checkSubjectKeyID(o *object) []string {
	c := o.cert
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	if _, err := asn1.Unmarshal(c.RawSubjectPublicKeyInfo, &info); err != nil {
		return nil // Go has read the key, so this does not happen
	}
	const shortest = 8 // octets, as in method 2 of RFC 5280
	for _, input := range [][]byte{info.Key.Bytes, c.RawSubjectPublicKeyInfo} {
		one, two, three, five := sha1.Sum(input), sha256.Sum256(input), sha512.Sum384(input), sha512.Sum512(input)
		for _, digest := range [][]byte{one[:], two[:], three[:], five[:]} {
			if len(c.SubjectKeyId) >= shortest && bytes.HasPrefix(digest, c.SubjectKeyId) {
				return nil
			}
		}
		// Method 2: four bits 0100, then the last 60 bits of SHA-1.
		short := one[len(one)-shortest:]
		short[0] = short[0]&0x0f | 0x40
		if bytes.Equal(short, c.SubjectKeyId) {
			return nil
		}
	}
	return []string{fmt.Sprintf("the subject key identifier %x is no digest of the certificate's key", c.SubjectKeyId)}
}

// checkSubjectReused looks for authorities of the same name with another key.
func checkSubjectReused(o *object) []string {
	var owners []string
	for _, other := range o.cert.others {
		if other.IsCA && sameSubject(other.Certificate, o.cert.Certificate) && !sameKey(other.Certificate, o.cert.Certificate) && !o.cert.rolledOver(other.Certificate) {
			owners = append(owners, other.owner)
		}
	}
	if len(owners) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%s has the subject %q too, with another key", fewOf(owners), o.cert.Subject)}
}

// rolledOver says whether a link certificate (RFC 4210 §4.4) joins the key of
// this certificate to that of its namesake: then the name was kept on purpose.
func (c *certificate) rolledOver(namesake *x509.Certificate) bool {
	joins := func(link *x509.Certificate) bool {
		if !bytes.Equal(link.RawSubject, link.RawIssuer) || !sameSubject(link, namesake) {
			return false
		}
		return sameKey(link, c.Certificate) && signedWithKey(link, namesake) || sameKey(link, namesake) && signedWithKey(link, c.Certificate)
	}
	return joins(c.Certificate) || joins(namesake) ||
		slices.ContainsFunc(c.others, func(n neighbour) bool { return joins(n.Certificate) })
}

// signedWithKey says whether the signature verifies under the key of another
// certificate, whatever that one may be used for.
func signedWithKey(c, by *x509.Certificate) bool { return public.CheckCertificate(c, by) == nil }

// checkROCA tells a modulus of the broken generator: both its primes, and so
// the modulus, are powers of 65537 modulo every small prime. An honest modulus
// passes all of these tests once in some hundred million times.
func checkROCA(o *object) []string {
	key, ok := o.cert.PublicKey.(*rsa.PublicKey)
	if !ok || !hasROCAFingerprint(key.N) {
		return nil
	}
	return []string{fmt.Sprintf("the modulus of %d bits is a power of 65537 modulo every prime up to %d", key.N.BitLen(), largestROCAPrime)}
}

// largestROCAPrime is the last prime of the smallest product of primes that
// the generator used, that for keys of 512 bits.
const largestROCAPrime = 167

func hasROCAFingerprint(modulus *big.Int) bool {
	const generator = 65537
	for p := int64(3); p <= largestROCAPrime; p += 2 {
		if !big.NewInt(p).ProbablyPrime(0) {
			continue
		}
		rest := new(big.Int).Mod(modulus, big.NewInt(p)).Int64()
		power := int64(1)
		for power != rest {
			power = power * generator % p
			if power == 1 {
				return false // came round without meeting it
			}
		}
	}
	return true
}
