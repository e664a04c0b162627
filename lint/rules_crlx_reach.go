package lint

import (
	"fmt"
	"math/big"
	"slices"
)

// idPartialList names the rule about lists that most clients do not take.
const idPartialList = "w_crlx_needs_extended_client"

// longestList is how long a list may live before it is named: twice what the
// lists of an offline root commonly do.
const longestList = 2 * 366 * day

// reachRules are about who takes a list, and what it can do.
func reachRules() []Rule {
	return []Rule{{
		ID: "w_crlx_issuer_has_other_key", Severity: Warn, Object: ObjectCRL,
		Title:     "the authority that has the list's issuer's name signed the list",
		Harm:      "a list of the key before, or of a forger: every client that holds this certificate throws it away",
		Citation:  "RFC 5280 §5.2.1, §6.3.3 (f), (g)",
		Effective: rfc5280,
		Advice:    "hand in the certificate of the generation that signed the list, or find out which key did",
		applies:   func(o *object) bool { return o.crl.given.LikeNamed != "" },
		check: func(o *object) []string {
			return []string{fmt.Sprintf("the issuer %q is here (%s), but it has another key identifier, and its key did not sign", o.crl.Issuer, o.crl.given.LikeNamed)}
		},
	}, {
		ID: "e_crlx_unknown_critical", Severity: Error, Object: ObjectCRL,
		Title:     "every critical extension of a list is one that clients process",
		Harm:      "clients must throw the whole list away, and then take what is revoked for good or nothing at all",
		Citation:  "RFC 5280 §5.2, §5.3, §5.3.3",
		Effective: rfc5280,
		Advice:    "mark the extension as not critical, or leave it out",
		applies:   always,
		check:     checkCriticalOfList,
	}, {
		ID: idPartialList, Severity: Warn, Object: ObjectCRL,
		Title:     "a list is about all reasons, and about its own issuer's certificates",
		Harm:      "OpenSSL without X509_V_FLAG_EXTENDED_CRL_SUPPORT, and others, leave such a list aside: unable to get certificate CRL",
		Citation:  "RFC 5280 §5.2.5, §6.3.3 (b)(2), (d)",
		Effective: rfc5280,
		Advice:    "publish a complete list of each issuer's own certificates; cut it by shards if it is too long",
		applies:   func(o *object) bool { return o.crl.scope() != nil },
		check: func(o *object) []string {
			var details []string
			s := o.crl.scope()
			if s.indirect {
				details = append(details, "the list is indirect")
			}
			if s.someReasons {
				details = append(details, "the list is about some reasons only")
			}
			return details
		},
	}, {
		ID: "w_crlx_lives_long", Severity: Warn, Object: ObjectCRL,
		Title:     "a list ends within two years",
		Harm:      "clients that have it ask for no other: what is revoked next year stays good with them",
		Citation:  "RFC 5280 §5.1.2.5; CABF BR §4.9.7",
		Effective: rfc5280,
		Advice:    "give the next update a date within about a year, and sign the next list before it",
		applies:   func(o *object) bool { return !o.crl.NextUpdate.IsZero() },
		check: func(o *object) []string {
			if life := o.crl.NextUpdate.Sub(o.crl.ThisUpdate); life > longestList {
				return []string{fmt.Sprintf("the list lives for %d days", int(life/day))}
			}
			return nil
		},
	}, {
		ID: "w_crlx_revokes_own_issuer", Severity: Warn, Object: ObjectCRL,
		Title:     "a list does not revoke the root that signed it",
		Harm:      "nobody looks a trust anchor up: the root is taken for revoked, and trusted by everyone",
		Citation:  "RFC 5280 §6.1, §6.3.3 (f)",
		Effective: rfc5280,
		Advice:    "take the root out of the trust stores: that is the only way to revoke it",
		applies:   func(o *object) bool { return o.crl.issuer != nil && selfSigned(o.crl.issuer) },
		check: func(o *object) []string {
			for _, entry := range o.crl.RevokedCertificateEntries {
				if entry.SerialNumber.Cmp(o.crl.issuer.SerialNumber) == 0 {
					return []string{fmt.Sprintf("the entry %x is the root itself", entry.SerialNumber)}
				}
			}
			return nil
		},
	}}
}

// checkCriticalOfList looks for critical extensions of the list and of its
// entries that RFC 5280 does not have, or not there.
//
// What a rehearsal makes bears a mark that no client knows, on purpose, and a
// plan of a rehearsal could not be made if that were an error.
func checkCriticalOfList(o *object) []string {
	const rehearsalMark = "2.999.1"
	known := []string{rehearsalMark, "2.5.29.20", "2.5.29.27", "2.5.29.28", "2.5.29.35", "2.5.29.18", "2.5.29.46", "1.3.6.1.5.5.7.1.1", "2.5.29.60"}
	knownOfEntry := []string{"2.5.29.21", "2.5.29.24"}
	if s := o.crl.scope(); s != nil && s.indirect {
		knownOfEntry = append(knownOfEntry, "2.5.29.29")
	}
	var details []string
	for _, e := range o.crl.Extensions {
		if id := e.Id.String(); e.Critical && !slices.Contains(known, id) {
			details = append(details, fmt.Sprintf("extension %s is critical, and no client knows it", id))
		}
	}
	var entries []*big.Int
	for _, entry := range o.crl.RevokedCertificateEntries {
		for _, e := range entry.Extensions {
			if e.Critical && !slices.Contains(knownOfEntry, e.Id.String()) {
				entries = append(entries, entry.SerialNumber)
				break
			}
		}
	}
	return append(details, serialDetail(entries, "a critical extension that clients do not process in this list")...)
}
