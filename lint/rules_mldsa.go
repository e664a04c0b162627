package lint

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"slices"
	"strings"

	"pki.internal/plan/tbs/public"
)

// latticeRules are about keys and signatures of ML-DSA, and about who can
// verify what a key signs.
func latticeRules() []Rule {
	return []Rule{{
		ID: "e_ca_mldsa_params_or_prehash", Severity: Error, Object: ObjectCertificate,
		Title:     "ML-DSA is named without parameters, for the key and for the signature, and is not HashML-DSA",
		Harm:      "certificates of experimental builds, which no released client reads",
		Citation:  "RFC 9881 §2, §3",
		Effective: rfc9881,
		Advice:    "make the certificate with software that implements the final standard",
		applies:   func(o *object) bool { return len(latticeIDs(o.cert.Certificate)) > 0 },
		check:     checkLatticeIDs,
	}, {
		ID: "e_ca_mldsa_size", Severity: Error, Object: ObjectCertificate,
		Title:     "a key and a signature of ML-DSA have the length of their parameter set",
		Harm:      "keys that were cut or padded by a conversion: no client can read them",
		Citation:  "FIPS 204 table 2; RFC 9881 §3, §4",
		Effective: rfc9881,
		Advice:    "find out which software wrote it; keys of earlier drafts (Dilithium) have other lengths, and nobody verifies them any more",
		applies:   func(o *object) bool { return len(latticeIDs(o.cert.Certificate)) > 0 },
		check:     checkLatticeSizes,
	}, {
		ID: "e_ca_mldsa_key_usage", Severity: Error, Object: ObjectCertificate,
		Title:     "a key of ML-DSA signs, and neither encrypts nor agrees on keys",
		Harm:      "a key that cannot encrypt, offered for encryption: the other side fails late",
		Citation:  "RFC 9881 §5; RFC 5280 §4.2.1.3",
		Effective: rfc9881,
		Advice:    "leave keyCertSign, cRLSign, digitalSignature or nonRepudiation, and take the others out",
		applies: func(o *object) bool {
			return o.cert.KeyUsage != 0 && strings.HasPrefix(keyLattice(o.cert.Certificate), lattice)
		},
		check: checkLatticeUsage,
	}, {
		ID: "w_ca_algorithm_client_support", Severity: Warn, Object: ObjectCertificate,
		Title:     "every client that the estate names can verify what the key signs",
		Harm:      "an Ed25519 root that no browser takes, found out after the ceremony",
		Citation:  "RFC 8410; RFC 9881; CABF BR §6.1.5; step-ca production guide, key types and ciphers",
		Effective: rfc5280,
		Advice:    "choose an algorithm that they all know, or take the client out of clients in the lint block when it no longer counts",
		applies:   func(o *object) bool { return o.cert.IsCA && o.cert.given.Clients != nil },
		check: func(o *object) []string {
			return cannotVerify(o, o.cert.given.Clients)
		},
	}, {
		ID: "n_ca_mldsa_not_yet_everywhere", Severity: Notice, Object: ObjectCertificate,
		Title:     "who cannot verify ML-DSA yet is known",
		Harm:      "a whole post-quantum tree that half of one's clients cannot verify yet",
		Citation:  "RFC 9881 §1; Go 1.27, OpenSSL 3.5 and JDK 24 release notes",
		Effective: rfc9881,
		Advice:    "keep a classical tree beside it for the others, and name your clients (clients in the lint block) to be told precisely",
		applies: func(o *object) bool {
			return o.cert.root() && o.cert.IsCA && o.cert.given.Clients == nil && strings.HasPrefix(keyLattice(o.cert.Certificate), lattice)
		},
		check: func(o *object) []string { return cannotVerify(o, nil) },
	}, {
		ID: "e_crlx_mldsa_signature", Severity: Error, Object: ObjectCRL,
		Title:     "a list signed with ML-DSA names it without parameters, not as HashML-DSA, and its signature has the right length",
		Harm:      "a list in a form that clients of ML-DSA do not read: every revocation is lost",
		Citation:  "RFC 9881 §2, §3; FIPS 204 table 2",
		Effective: rfc9881,
		Advice:    "sign the list with software that implements the final standard",
		applies:   func(o *object) bool { return len(latticeSignature(o.crl.Raw)) > 0 },
		check: func(o *object) []string {
			ids := latticeSignature(o.crl.Raw)
			details := wrongLattice(ids)
			if !o.crl.given.Draft { // whose signature is a stand-in
				details = append(details, wrongLatticeSizes(ids, 0, len(o.crl.Signature))...)
			}
			return details
		},
	}}
}

// cannotVerify names clients in one detail.
func cannotVerify(o *object, asked []string) []string {
	name := public.NameOf(o.cert.RawSubjectPublicKeyInfo)
	if without := unable(name, asked); len(without) > 0 {
		return []string{fmt.Sprintf("the key is of %s, which these cannot verify: %s", name, strings.Join(without, ", "))}
	}
	return nil
}

// latticeID is an algorithm identifier of ML-DSA or HashML-DSA.
type latticeID struct {
	of string // "key" or "signature"
	pkix.AlgorithmIdentifier
	last int // arc
}

// prehash says whether it is HashML-DSA.
func (i latticeID) prehash() bool { return i.last >= hashMLDSA44 }

// Last arcs of the object identifiers (NIST CSOR, sigAlgs).
const (
	mldsa44, mldsa87         = 17, 19
	hashMLDSA44, hashMLDSA87 = 32, 34
)

// familyOctets are 2.16.840.1.101.3.4.3 in DER.
var familyOctets = []byte{0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03}

// latticeIDs reads the algorithm identifiers of a certificate's key and
// signature, as far as they are of ML-DSA or HashML-DSA.
func latticeIDs(c *x509.Certificate) []latticeID {
	// Without these octets nothing of the family is there: most certificates need
	// no second look.
	if !bytes.Contains(c.Raw, familyOctets) {
		return nil
	}
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	var all []latticeID
	if _, err := asn1.Unmarshal(c.RawSubjectPublicKeyInfo, &info); err == nil {
		all = appendLattice(all, "key", info.Algorithm)
	}
	return append(all, latticeSignature(c.Raw)...)
}

// latticeSignature reads the algorithm identifier of a signature, as far as it
// is of ML-DSA or HashML-DSA.
func latticeSignature(der []byte) []latticeID {
	var outer struct{ Signed, Algorithm, Signature asn1.RawValue }
	var signature pkix.AlgorithmIdentifier
	if _, err := asn1.Unmarshal(der, &outer); err != nil || !bytes.Contains(outer.Algorithm.FullBytes, familyOctets) {
		return nil
	}
	if _, err := asn1.Unmarshal(outer.Algorithm.FullBytes, &signature); err != nil {
		return nil
	}
	return appendLattice(nil, "signature", signature)
}

func appendLattice(all []latticeID, of string, id pkix.AlgorithmIdentifier) []latticeID {
	family := asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3}
	if len(id.Algorithm) != len(family)+1 || !id.Algorithm[:len(family)].Equal(family) {
		return all
	}
	last := id.Algorithm[len(family)]
	if last >= mldsa44 && last <= mldsa87 || last >= hashMLDSA44 && last <= hashMLDSA87 {
		return append(all, latticeID{of, id, last})
	}
	return all
}

// keyLattice names the algorithm of a key by its identifier alone, so that a
// key of the wrong length is still one of ML-DSA; empty for any other key.
func keyLattice(c *x509.Certificate) string {
	for _, id := range latticeIDs(c) {
		if id.of == "key" {
			return latticeName(id.last)
		}
	}
	return ""
}

func latticeName(last int) string {
	return map[int]string{
		17: "ML-DSA-44", 18: "ML-DSA-65", 19: "ML-DSA-87",
		32: "HashML-DSA-44", 33: "HashML-DSA-65", 34: "HashML-DSA-87",
	}[last]
}

// checkLatticeIDs looks at both algorithm identifiers.
func checkLatticeIDs(o *object) []string { return wrongLattice(latticeIDs(o.cert.Certificate)) }

func wrongLattice(ids []latticeID) []string {
	var details []string
	for _, id := range ids {
		switch {
		case id.prehash():
			details = append(details, fmt.Sprintf("the %s is of HashML-DSA (%s), which certificates and lists do not use", id.of, id.Algorithm))
		case len(id.Parameters.FullBytes) > 0:
			details = append(details, fmt.Sprintf("the algorithm identifier %s of the %s has parameters %x, and must have none", id.Algorithm, id.of, id.Parameters.FullBytes))
		}
	}
	return details
}

// checkLatticeSizes counts octets. The signature of a draft is a stand-in, and
// counts where it has been given the right length.
func checkLatticeSizes(o *object) []string {
	return wrongLatticeSizes(latticeIDs(o.cert.Certificate), keyOctets(o.cert.RawSubjectPublicKeyInfo), len(o.cert.Signature))
}

func wrongLatticeSizes(ids []latticeID, key, signature int) []string {
	type sizes struct{ key, signature int }
	table := map[int]sizes{17: {1312, 2420}, 18: {1952, 3309}, 19: {2592, 4627}}
	var details []string
	for _, id := range ids {
		want, have := table[id.last].signature, signature
		if id.of == "key" {
			want, have = table[id.last].key, key
		}
		if !id.prehash() && want != have {
			details = append(details, fmt.Sprintf("the %s of %s has %d octets, and must have %d", id.of, latticeName(id.last), have, want))
		}
	}
	return details
}

func keyOctets(spki []byte) int {
	var info struct {
		Algorithm asn1.RawValue
		Key       asn1.BitString
	}
	if _, err := asn1.Unmarshal(bytes.Clone(spki), &info); err != nil {
		return 0
	}
	return len(info.Key.Bytes)
}

// checkLatticeUsage reads RFC 9881 §5: one of the first four bits, and none of
// the other five.
func checkLatticeUsage(o *object) []string {
	const signs = x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment | x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	var details []string
	if o.cert.KeyUsage&signs == 0 {
		details = append(details, "the key usage has no bit that lets the key sign")
	}
	for bit, name := range map[x509.KeyUsage]string{
		x509.KeyUsageKeyEncipherment: "keyEncipherment", x509.KeyUsageDataEncipherment: "dataEncipherment",
		x509.KeyUsageKeyAgreement: "keyAgreement", x509.KeyUsageEncipherOnly: "encipherOnly", x509.KeyUsageDecipherOnly: "decipherOnly",
	} {
		if o.cert.KeyUsage&bit != 0 {
			details = append(details, "the key usage has "+name)
		}
	}
	slices.Sort(details)
	return details
}
