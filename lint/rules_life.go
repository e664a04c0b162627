package lint

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"
)

// appleTLS is the day from which Apple's systems ask for short lives of every
// server's certificate, also under roots that the user installed.
var appleTLS = time.Date(2019, time.July, 1, 0, 0, 0, 0, time.UTC)

// day is the length of one, for lives that are counted in days.
const day = 24 * time.Hour

// Lives of leaves that are named.
const (
	longestServer = 825 * day
	longLeaf      = 5 * 366 * day
)

// endOfRSA2048 is the end of the last year for which NIST calls a strength of
// 112 bits acceptable (SP 800-57 part 1 rev. 5 §5.6.3, table 4).
var endOfRSA2048 = time.Date(2031, time.January, 1, 0, 0, 0, 0, time.UTC)

// lifeRules are about how long leaves and keys live, and who shares them.
func lifeRules() []Rule {
	return []Rule{{
		ID: "w_ca_server_lives_long", Severity: Warn, Object: ObjectCertificate,
		Title:     "a server's certificate lives for 825 days at most",
		Harm:      "iPhones, iPads and Macs refuse it, also under a root of one's own: the page does not load, and nothing says why",
		Citation:  "Apple support 103769, requirements for trusted certificates in iOS 13 and macOS 10.15",
		Effective: appleTLS,
		Advice:    "issue for a shorter time and renew by machine; 90 days or less is better",
		applies:   func(o *object) bool { return serves(o.cert.Certificate) && !o.cert.NotBefore.Before(appleTLS) },
		check: func(o *object) []string {
			if life := o.cert.NotAfter.Sub(o.cert.NotBefore); life > longestServer {
				return []string{fmt.Sprintf("the certificate lives for %d days", int(life/day))}
			}
			return nil
		},
	}, {
		ID: "n_ca_leaf_lives_long", Severity: Notice, Object: ObjectCertificate,
		Title:     "a leaf that lives for more than five years is meant to",
		Harm:      "-days 3650, copied from the root: a stolen key is good for ten years",
		Citation:  "NIST SP 800-57 part 1 rev. 5 §5.3.6; step-ca production guide, use short-lived certificates",
		Effective: sp80057,
		Advice:    "issue for a shorter time, unless this is the identity that a device is born with",
		applies:   func(o *object) bool { return isLeafCertificate(o) && !serves(o.cert.Certificate) },
		check: func(o *object) []string {
			if life := o.cert.NotAfter.Sub(o.cert.NotBefore); life > longLeaf {
				return []string{fmt.Sprintf("the certificate lives for %d days", int(life/day))}
			}
			return nil
		},
	}, {
		ID: "n_ca_rsa2048_beyond_2030", Severity: Notice, Object: ObjectCertificate,
		Title:     "an authority with RSA-2048 ends by 2030",
		Harm:      "the whole tree has to be built again before its time",
		Citation:  "NIST SP 800-57 part 1 rev. 5 §5.6.3, table 4",
		Effective: sp80057,
		Advice:    "take RSA of 3072 bits or more, or an elliptic curve, for the next generation",
		applies:   func(o *object) bool { return o.cert.IsCA },
		check: func(o *object) []string {
			key, ok := o.cert.PublicKey.(*rsa.PublicKey)
			if ok && key.N.BitLen() < 3072 && o.cert.NotAfter.After(endOfRSA2048) {
				return []string{fmt.Sprintf("RSA of %d bits until %s", key.N.BitLen(), date(o.cert.NotAfter))}
			}
			return nil
		},
	}, {
		ID: "w_ca_leaves_share_key", Severity: Warn, Object: ObjectCertificate,
		Title:     "two leaves of different names have different keys",
		Harm:      "an image that was copied with its key: whoever breaks into one machine is all of them",
		Citation:  "NIST SP 800-57 part 1 rev. 5 §5.2",
		Effective: sp80057,
		Advice:    "make a key on each machine, and revoke what was copied",
		applies:   func(o *object) bool { return isLeafCertificate(o) && hasOthers(o) },
		check:     checkSharedLeafKey,
	}, {
		ID: "w_ca_aki_serial_of_other_issuer", Severity: Warn, Object: ObjectCertificate,
		Title:     "an authority key identifier with a number has the number of the issuer's certificate",
		Harm:      "OpenSSL refuses the pair (authority and issuer serial number mismatch): found when an authority was renewed under its key",
		Citation:  "RFC 5280 §4.2.1.1; X509_check_issued(3)",
		Effective: rfc5280,
		Advice:    "identify the issuer by its key alone: authorityKeyIdentifier = keyid, without issuer",
		applies:   func(o *object) bool { return o.cert.signer() != nil },
		check:     checkAuthoritySerial,
	}}
}

// checkSharedLeafKey looks for leaves with the key and without any name in
// common.
func checkSharedLeafKey(o *object) []string {
	c := o.cert
	var owners []string
	for _, other := range c.others {
		if !other.IsCA && sameKey(other.Certificate, c.Certificate) && !bytes.Equal(other.RawSubject, c.RawSubject) && !shareName(other.Certificate, c.Certificate) {
			owners = append(owners, other.owner)
		}
	}
	if len(owners) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("the key is also that of %s, which has other names", fewOf(owners))}
}

// shareName says whether two certificates have an alternative name in common.
func shareName(a, b *x509.Certificate) bool {
	names := func(c *x509.Certificate) []string {
		all := slices.Concat(c.DNSNames, c.EmailAddresses)
		for _, u := range c.URIs {
			all = append(all, u.String())
		}
		for _, ip := range c.IPAddresses {
			all = append(all, ip.String())
		}
		return all
	}
	others := names(b)
	return slices.ContainsFunc(names(a), func(name string) bool {
		return slices.ContainsFunc(others, func(other string) bool { return strings.EqualFold(name, other) })
	})
}

// checkAuthoritySerial holds the number in the authority key identifier
// against the issuer's certificate.
func checkAuthoritySerial(o *object) []string {
	for _, e := range o.cert.Extensions {
		if e.Id.String() != "2.5.29.35" {
			continue
		}
		var aki struct {
			KeyID  []byte        `asn1:"optional,tag:0"`
			Issuer asn1.RawValue `asn1:"optional,tag:1"`
			Serial *big.Int      `asn1:"optional,tag:2"`
		}
		if _, err := asn1.Unmarshal(e.Value, &aki); err != nil || aki.Serial == nil {
			return nil
		}
		if issuer := o.cert.signer(); issuer.SerialNumber.Cmp(aki.Serial) != 0 {
			return []string{fmt.Sprintf("the authority key identifier has serial number %x, and the issuer's certificate has %x", aki.Serial, issuer.SerialNumber)}
		}
	}
	return nil
}
