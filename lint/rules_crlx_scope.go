package lint

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"
)

// clockSkew is how far two clocks that are set by people may be apart.
const clockSkew = 5 * time.Minute

// revocationScopeRules are about what a list speaks of.
func revocationScopeRules() []Rule {
	return []Rule{{
		ID: "e_crlx_unknown_serial", Severity: Error, Object: ObjectCRL,
		Title:     "the list revokes only what its issuer signed",
		Harm:      "a slip in the number: the bad authority stayed valid, and nobody noticed",
		Citation:  "RFC 5280 §5.1.2.6",
		Effective: rfc5280,
		Advice:    "compare the number with the certificate: a slip here leaves the bad one valid",
		applies:   func(o *object) bool { return o.crl.given.Issued != nil },
		check:     checkUnknownSerials,
	}, {
		ID: "w_crlx_expired_entries_kept_or_dropped", Severity: Warn, Object: ObjectCRL,
		Title:     "a revoked certificate stands on one list after it has ended",
		Harm:      "whoever checks an old signature later finds no trace of the revocation",
		Citation:  "RFC 5280 §3.3",
		Effective: rfc5280,
		Advice:    "keep the entry for one more list, so that late readers of old signatures see it",
		applies:   func(o *object) bool { return hasPrevious(o) && o.crl.given.Issued != nil },
		check:     checkDroppedEarly,
	}, {
		ID: "w_crlx_this_update_future", Severity: Warn, Object: ObjectCRL,
		Title:     "the list has begun",
		Harm:      "a ceremony laptop ahead of UTC: clients refuse the list until the time has come",
		Citation:  "RFC 5280 §5.1.2.4",
		Effective: rfc5280,
		Advice:    "publish it when it begins, or set the clock right: clients refuse a list from the future",
		// A list that is signed in advance begins later, and is published then.
		applies: func(o *object) bool { return !o.now.IsZero() && !o.crl.given.Draft },
		check: func(o *object) []string {
			if start := o.crl.ThisUpdate; start.After(o.now.Add(clockSkew)) {
				return []string{fmt.Sprintf("this update is %s, and it is %s", date(start), date(o.now))}
			}
			return nil
		},
	}, {
		ID: "e_crlx_idp_scope_wrong", Severity: Error, Object: ObjectCRL,
		Title:     "what the list says of its own scope can be read, is critical, and fits its issuer",
		Harm:      "a root's list that by its own words speaks of no authority",
		Citation:  "RFC 5280 §5.2.5, §6.3.3 (b)(2)",
		Effective: rfc5280,
		Advice:    "mark the issuing distribution point critical, set one flag at most, and onlyContainsCACerts for an issuer of authorities",
		applies:   func(o *object) bool { return o.crl.scope() != nil },
		check:     checkScope,
	}, {
		ID: "e_crlx_idp_cdp_mismatch", Severity: Error, Object: ObjectCRL,
		Title:     "the list names the distribution point that the certificates name",
		Harm:      "step-ca's default crl.idpURL against a URL in the certificates: clients refuse the list",
		Citation:  "RFC 5280 §5.2.5, §6.3.3 (b)(2)(i)",
		Effective: rfc5280,
		Advice:    "write one URL into both, letter for letter: clients that compare them refuse the list",
		applies: func(o *object) bool {
			s := o.crl.scope()
			return len(o.crl.covers) > 0 && s != nil && s.named
		},
		check: checkScopeURL,
	}}
}

// issuedSerial is what is known of the certificate of that number; nil when
// the issuer never signed one.
func (c *revocationList) issuedSerial(serial *big.Int) *Issued {
	i := slices.IndexFunc(c.given.Issued, func(known Issued) bool { return known.Serial != nil && known.Serial.Cmp(serial) == 0 })
	if i < 0 {
		return nil
	}
	return &c.given.Issued[i]
}

// checkUnknownSerials looks for entries of certificates that nobody signed.
func checkUnknownSerials(o *object) []string {
	known := make(map[string]bool, len(o.crl.given.Issued))
	for _, issued := range o.crl.given.Issued {
		if issued.Serial != nil {
			known[issued.Serial.String()] = true
		}
	}
	var unknown []*big.Int
	for _, entry := range o.crl.RevokedCertificateEntries {
		if !known[entry.SerialNumber.String()] {
			unknown = append(unknown, entry.SerialNumber)
		}
	}
	return serialDetail(unknown, "revoked, and the issuer never signed such a certificate")
}

// expiredSince says whether an entry's certificate is known to have ended at
// the time, so that the entry may leave, or leave early.
func (c *revocationList) expiredSince(serial *big.Int, at time.Time) bool {
	issued := c.issuedSerial(serial)
	return issued != nil && !issued.NotAfter.IsZero() && !issued.NotAfter.After(at)
}

// checkDroppedEarly looks for entries that left although no list that began
// after the certificate's end had them.
func checkDroppedEarly(o *object) []string {
	c := o.crl
	var early []*big.Int
	for _, serial := range c.vanished() {
		if c.expiredSince(serial, c.ThisUpdate) && !c.expiredSince(serial, c.previous.ThisUpdate) {
			early = append(early, serial)
		}
	}
	return serialDetail(early, "ended since the list before, and is not on this one")
}

// checkScope reads the issuing distribution point.
func checkScope(o *object) []string {
	s, role := o.crl.scope(), o.crl.given.Role
	if s.broken {
		return []string{"the issuing distribution point cannot be read"}
	}
	var details []string
	if !s.critical {
		details = append(details, "the issuing distribution point is not critical: clients that skip it take the list for a complete one")
	}
	flags := 0
	for _, set := range []bool{s.onlyUsers, s.onlyCAs, s.onlyAttributes} {
		if set {
			flags++
		}
	}
	if flags > 1 {
		details = append(details, "more than one of onlyContainsUserCerts, onlyContainsCACerts and onlyContainsAttributeCerts is set: the list speaks of nothing")
	}
	switch {
	case s.onlyUsers && (role == RoleRoot || role == RolePolicy):
		details = append(details, "the issuer signs authorities, and by onlyContainsUserCerts the list says nothing of any authority")
	case s.onlyCAs && (role == RoleIssuing || o.crl.issuer != nil && o.crl.issuer.MaxPathLen == 0):
		details = append(details, "the issuer signs leaves only, and by onlyContainsCACerts the list says nothing of any leaf")
	}
	return details
}

// checkScopeURL compares the names with those in the certificates. One common
// name is enough (RFC 5280 §6.3.3 (b)(2)(i)).
func checkScopeURL(o *object) []string {
	s := o.crl.scope()
	var details []string
	for _, cert := range o.crl.covers {
		common := slices.ContainsFunc(cert.CRLDistributionPoints, func(point string) bool { return slices.Contains(s.urls, point) })
		if !common {
			details = append(details, fmt.Sprintf("the list is for %s, and the certificate %q looks for it at %s",
				quoteAll(s.urls), cert.Subject, quoteAll(cert.CRLDistributionPoints)))
		}
	}
	return details
}

// quoteAll writes a few texts for a detail.
func quoteAll(texts []string) string {
	if len(texts) == 0 {
		return "nothing"
	}
	return fmt.Sprintf("%q", strings.Join(texts, " "))
}
