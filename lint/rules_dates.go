package lint

import (
	"crypto/x509"
	"fmt"
	"time"
)

// Limits of dates, each with its reason.
const (
	// unlikelyGap is how far the start may be from the ceremony: time zones go
	// to 14 hours, and a ceremony may last until after midnight.
	unlikelyGap = 24 * time.Hour
	// shortestRoot and longestRoot are 8 and 25 years with their leap days
	// (CABF BR §7.1.2.1.1).
	shortestRoot = 2922 * 24 * time.Hour
	longestRoot  = 9132 * 24 * time.Hour
)

// dateRules are about a certificate's two dates.
func dateRules() []Rule {
	return []Rule{{
		ID: "e_ca_validity_inclusive_second", Severity: Error, Object: ObjectCertificate,
		Title:     "the certificate lives no second longer than allowed, both ends included",
		Harm:      "Let's Encrypt in 2021: 185 million certificates that were one second too long",
		Citation:  "RFC 5280 §4.1.2.5; CABF BR §1.6.1 (Validity Period)",
		Effective: rfc5280,
		Advice:    "end the certificate one second before the period is over: the last second counts",
		applies:   func(o *object) bool { return o.cert.given.Longest > 0 },
		check: func(o *object) []string {
			if life := lifetime(o); life > o.cert.given.Longest {
				return []string{fmt.Sprintf("valid for %s, both ends included, and %s is allowed", span(life), span(o.cert.given.Longest))}
			}
			return nil
		},
	}, {
		ID: "n_ca_no_well_defined_expiry", Severity: Notice, Object: ObjectCertificate,
		Title:     "the certificate has an end",
		Harm:      "templates of device identities (IEEE 802.1AR) that were copied for servers: nothing ever runs out",
		Citation:  "RFC 5280 §4.1.2.5",
		Effective: rfc5280,
		Advice:    "set an end; only the identity that a maker gives to a device is meant to have none",
		applies:   always,
		check: func(o *object) []string {
			if endless(o.cert.Certificate) {
				return []string{"the end is 9999-12-31T23:59:59Z, which means that there is none"}
			}
			return nil
		},
	}, {
		ID: "e_ca_not_before_unlikely", Severity: Error, Object: ObjectCertificate,
		Title:     "the start is a moment at which somebody signed",
		Harm:      "laptops whose clock had lost its battery signed roots of 1970 and of next year",
		Citation:  "RFC 5280 §4.1.2.5; CABF BR §7.1.2.7",
		Effective: rfc5280,
		Advice:    "set the clock of the ceremony's computer, have two people confirm it, and make the certificate again",
		applies:   always,
		check:     checkStart,
	}, {
		ID: "w_root_validity_out_of_range", Severity: Warn, Object: ObjectCertificate,
		Title:     "a root lives for 8 to 25 years",
		Harm:      "roots of fifty years outlive their algorithm; roots of two years are never replaced in time",
		Citation:  "CABF BR §7.1.2.1.1; NIST SP 800-57 part 1 rev. 5 §5.3.6",
		Effective: sp80057,
		Advice:    "choose a life in between: replacing a root takes years, and no algorithm is safe for ever",
		applies:   func(o *object) bool { return isRoot(o) && o.cert.IsCA },
		check: func(o *object) []string {
			switch life := lifetime(o); {
			case life < shortestRoot:
				return []string{fmt.Sprintf("the root lives for %s, less than 8 years", span(life))}
			case life > longestRoot:
				return []string{fmt.Sprintf("the root lives for %s, more than 25 years", span(life))}
			}
			return nil
		},
	}}
}

// lifetime is how long the certificate is valid, both ends included. A life
// beyond what can be counted counts as the longest.
func lifetime(o *object) time.Duration {
	const longest = time.Duration(1<<63 - 1)
	life := o.cert.NotAfter.Sub(o.cert.NotBefore)
	if life > longest-time.Second {
		return longest
	}
	return life + time.Second
}

// span writes a duration in days and seconds.
func span(d time.Duration) string {
	if rest := d % day; rest != 0 {
		return fmt.Sprintf("%d days and %s", d/day, rest)
	}
	return fmt.Sprintf("%d days", d/day)
}

// checkStart looks for the days at which a clock without a battery starts
// again, and compares the start with the ceremony.
func checkStart(o *object) []string {
	start, signing := o.cert.NotBefore.UTC(), o.cert.given.Signing
	switch start.Format(time.DateOnly) {
	case "1970-01-01", "1980-01-01", "2000-01-01":
		return []string{fmt.Sprintf("valid from %s: clocks that lost their time start there", date(start))}
	}
	if signing.IsZero() {
		return nil
	}
	if gap := start.Sub(signing).Abs(); gap > unlikelyGap {
		return []string{fmt.Sprintf("valid from %s, and the ceremony is on %s", date(start), date(signing))}
	}
	return nil
}

// endless says whether a certificate has no well-defined end, as one that a
// device is born with (RFC 5280 §4.1.2.5, IEEE 802.1AR): it ends with whoever
// signed it.
func endless(c *x509.Certificate) bool {
	return c.NotAfter.Equal(time.Date(9999, time.December, 31, 23, 59, 59, 0, time.UTC))
}
