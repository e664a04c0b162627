package lint

import (
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"math/big"
	"sync"
	"time"
)

// Weak RSA keys with shared primes were shown in August 2012 (Heninger and
// others, Mining Your Ps and Qs).
var sharedPrimes = time.Date(2012, time.August, 1, 0, 0, 0, 0, time.UTC)

// familyRules are about a certificate among those beside it.
func familyRules() []Rule {
	return []Rule{{
		ID: "e_ca_issuer_cannot_sign", Severity: Error, Object: ObjectCertificate,
		Title:     "the issuer is an authority, and its key may sign certificates",
		Harm:      "Internet Explorer in 2002 (MS02-050) took any leaf for an authority; today every client refuses the chain",
		Citation:  "RFC 5280 §4.2.1.3, §4.2.1.9, §6.1.4 (k), (n)",
		Effective: rfc5280,
		Advice:    "issue under an authority: every verifier refuses a chain through a certificate without cA and keyCertSign",
		applies:   hasIssuer,
		check:     checkIssuerRights,
	}, {
		ID: "w_ca_issuer_has_other_key", Severity: Warn, Object: ObjectCertificate,
		Title:     "the authority that has the issuer's name is the issuer",
		Harm:      "after a new key under the old name, half of the machines have the other root and refuse everything",
		Citation:  "RFC 5280 §4.2.1.1, §6.1.3 (a)(1)",
		Effective: rfc5280,
		Advice:    "hand in the certificate of the generation that signed, or find out which key did",
		applies:   func(o *object) bool { return o.cert.given.LikeNamed != "" },
		check: func(o *object) []string {
			return []string{fmt.Sprintf("the issuer %q is here (%s), but it has another key identifier, and its key did not sign", o.cert.Issuer, o.cert.given.LikeNamed)}
		},
	}, {
		ID: "e_ca_rsa_shared_factor", Severity: Error, Object: ObjectCertificate,
		Title:     "no two RSA keys have a prime in common",
		Harm:      "in 2012 half a per cent of all TLS keys on the Internet could be computed, because devices had started without randomness",
		Citation:  "NIST SP 800-57 part 1 rev. 5 §5.2, §8.1.5.1; CABF BR §6.1.1.3",
		Effective: sharedPrimes,
		Advice:    "make both keys again on a machine with good randomness, and revoke what they signed: whoever has both certificates can compute both private keys",
		applies:   func(o *object) bool { return o.cert.given.SharedFactor != "" },
		check: func(o *object) []string {
			return []string{"the modulus has a prime in common with that of " + o.cert.given.SharedFactor}
		},
	}, {
		ID: "n_ca_serial_sequential", Severity: Notice, Object: ObjectCertificate,
		Title:     "serial numbers are drawn, and not counted",
		Harm:      "the forged authority of 2008 was made by foretelling a serial number (MD5 considered harmful today)",
		Citation:  "CABF BR §7.1.2 (serialNumber); RFC 5280 §4.1.2.2",
		Effective: ballot164,
		Advice:    "draw each number anew: a number that can be foretold helps whoever looks for a collision, and tells how much was issued",
		applies:   func(o *object) bool { return o.cert.given.NextSerial != "" },
		check: func(o *object) []string {
			return []string{fmt.Sprintf("serial number %x is one away from that of %s", o.cert.SerialNumber, o.cert.given.NextSerial)}
		},
	}, {
		ID: "w_ca_not_yet_valid", Severity: Warn, Object: ObjectCertificate,
		Title:     "the certificate has begun",
		Harm:      "clients whose clock is right refuse it, and the one that was tested had a wrong one",
		Citation:  "RFC 5280 §4.1.2.5, §6.1.3 (a)(2)",
		Effective: rfc5280,
		Advice:    "put it into service when it begins, or set the clock right",
		// What an estate speaks for begins when its plan says, which may be later.
		applies: func(o *object) bool {
			return !o.now.IsZero() && o.cert.given.Role == RoleUnknown && !o.cert.given.Draft
		},
		check: func(o *object) []string {
			if start := o.cert.NotBefore; start.After(o.now.Add(clockSkew)) {
				return []string{fmt.Sprintf("valid from %s, and it is %s", date(start), date(o.now))}
			}
			return nil
		},
	}, {
		ID: "n_ca_revoked", Severity: Notice, Object: ObjectCertificate,
		Title:     "the certificate is not on its issuer's current list",
		Harm:      "a revoked certificate that stays in service works until a client looks",
		Citation:  "RFC 5280 §5.3, §6.3.3",
		Effective: rfc5280,
		Advice:    "take it out of service, if that has not been done",
		applies:   func(o *object) bool { return o.cert.given.RevokedBy != "" },
		check: func(o *object) []string {
			return []string{fmt.Sprintf("serial number %x is revoked by %s", o.cert.SerialNumber, o.cert.given.RevokedBy)}
		},
	}}
}

// checkIssuerRights looks at the two things that make an authority. Version 1
// roots have neither and are trusted by configuration alone.
func checkIssuerRights(o *object) []string {
	issuer := o.cert.issuer
	var details []string
	if !issuer.IsCA {
		details = append(details, fmt.Sprintf("the issuer %q is no authority: its basicConstraints do not say cA", issuer.Subject))
	}
	if issuer.KeyUsage != 0 && issuer.KeyUsage&x509.KeyUsageCertSign == 0 {
		details = append(details, fmt.Sprintf("the key usage of the issuer %q lacks keyCertSign", issuer.Subject))
	}
	return details
}

// oneModulus finds RSA keys that have a modulus in common and are not one key:
// their exponents differ.
func oneModulus(certs []*placed, shared map[string]string) {
	first := map[string]*placed{}
	for _, p := range certs {
		key, ok := p.PublicKey.(*rsa.PublicKey)
		if !ok {
			continue
		}
		before, known := first[string(key.N.Bytes())]
		if !known {
			first[string(key.N.Bytes())] = p
		} else if !sameKey(before.Certificate, p.Certificate) {
			shared[string(p.RawSubjectPublicKeyInfo)], shared[string(before.RawSubjectPublicKeyInfo)] = before.owner, p.owner
		}
	}
}

// mostModuli bounds the search for shared primes.
const mostModuli = 4096

// sharedFactors finds RSA moduli that have a prime in common, and names for
// the key of each the certificate of another. It multiplies all moduli, and
// reduces the product by the square of each (Bernstein, How to find smooth
// parts of integers, 2004).
func sharedFactors(certs []*placed) map[string]string {
	shared := map[string]string{}
	oneModulus(certs, shared)
	moduli, of := rsaModuli(certs)
	if len(moduli) < 2 || len(moduli) > mostModuli {
		return shared
	}
	tree := [][]*big.Int{moduli}
	for level := moduli; len(level) > 1; tree = append(tree, level) {
		next := make([]*big.Int, (len(level)+1)/2)
		var all sync.WaitGroup
		for i := range next {
			all.Go(func() {
				next[i] = level[2*i]
				if 2*i+1 < len(level) {
					next[i] = new(big.Int).Mul(level[2*i], level[2*i+1])
				}
			})
		}
		all.Wait()
		level = next
	}
	rests := tree[len(tree)-1]
	for depth := len(tree) - 2; depth >= 0; depth-- {
		next := make([]*big.Int, len(tree[depth]))
		var all sync.WaitGroup
		for i, n := range tree[depth] {
			all.Go(func() { next[i] = new(big.Int).Mod(rests[i/2], new(big.Int).Mul(n, n)) })
		}
		all.Wait()
		rests = next
	}
	var weak []int
	for i, n := range moduli {
		common := new(big.Int).GCD(nil, nil, new(big.Int).Quo(rests[i], n), n)
		if common.Cmp(big.NewInt(1)) > 0 {
			weak = append(weak, i)
		}
	}
	pairUp(weak, moduli, of, shared)
	return shared
}

// pairUp finds for each of the weak moduli the one that it shares a prime with.
func pairUp(weak []int, moduli []*big.Int, of []*placed, shared map[string]string) {
	for _, i := range weak {
		for _, j := range weak {
			if i != j && new(big.Int).GCD(nil, nil, moduli[i], moduli[j]).Cmp(big.NewInt(1)) > 0 {
				shared[string(of[i].RawSubjectPublicKeyInfo)] = of[j].owner
				break
			}
		}
	}
}

// rsaModuli is the different RSA moduli of the certificates, and a certificate
// of each. One modulus with two exponents is one key to whoever breaks it, and
// is counted once.
func rsaModuli(certs []*placed) (moduli []*big.Int, of []*placed) {
	seen := map[string]bool{}
	for _, p := range certs {
		key, ok := p.PublicKey.(*rsa.PublicKey)
		if !ok || key.N.Sign() <= 0 || key.N.BitLen() > mostModulusBits || seen[string(key.N.Bytes())] {
			continue
		}
		seen[string(key.N.Bytes())] = true
		moduli, of = append(moduli, key.N), append(of, p)
	}
	return moduli, of
}

// mostModulusBits is the longest modulus that is compared with others.
const mostModulusBits = 16384
