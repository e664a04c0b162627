package lint

import (
	"bytes"
	"fmt"
	"math/big"
	"slices"
	"strings"
)

// Reason codes of RFC 5280 §5.3.1 that our rules ask about.
const reasonCertificateHold = 6

// idHoldOnCA names a rule that holds for streams as well.
const idHoldOnCA = "e_crlx_hold_on_ca"

// hasPrevious applies to a list that follows another one. The same bytes again
// do not follow themselves.
func hasPrevious(o *object) bool {
	previous := o.crl.previous
	return previous != nil && !bytes.Equal(previous.RawTBSRevocationList, o.crl.RawTBSRevocationList)
}

// revocationRules are about a list, its dates and the list before it.
func revocationRules() []Rule {
	return []Rule{{
		ID: "e_crlx_expired_or_soon", Severity: Error, Object: ObjectCRL,
		Title:     "the list is good now, and until the next one is planned to be signed",
		Harm:      "the usual outage of a private PKI: the offline root's list has ended, and every logon fails (0x80092013)",
		Citation:  "RFC 5280 §5.1.2.5; CABF BR §4.9.7",
		Effective: rfc5280,
		Advice:    "sign a new list now, let it live longer, or plan the next signing earlier",
		// Nobody has to take a list that a newer one has replaced.
		applies: func(o *object) bool { return !o.crl.NextUpdate.IsZero() && !o.crl.given.Superseded },
		check:   checkExpiry,
	}, {
		ID: "e_crlx_window_not_positive", Severity: Error, Object: ObjectCRL,
		Title:     "the next update is later than this one",
		Harm:      "a timer with a lifetime of zero: the list is over before it is fetched",
		Citation:  "RFC 5280 §5.1.2.4, §5.1.2.5",
		Effective: rfc5280,
		Advice:    "let the list live for a positive time",
		applies:   func(o *object) bool { return !o.crl.NextUpdate.IsZero() },
		check:     checkWindow,
	}, {
		ID: "e_crlx_number_not_increasing", Severity: Error, Object: ObjectCRL,
		Title:     "the CRL number is greater than that of the list before",
		Harm:      "a restored ceremony laptop issues number 7 again; clients keep the older list",
		Citation:  "RFC 5280 §5.2.3",
		Effective: rfc5280,
		Advice:    "number the list from the newest list that was ever published, not from a restored machine",
		applies:   hasPrevious,
		check:     checkNumber,
	}, {
		ID: "e_crlx_entry_vanished", Severity: Error, Object: ObjectCRL,
		Title:     "what the list before revoked stays revoked",
		Harm:      "a revoked authority that was good again with the next list",
		Citation:  "RFC 5280 §3.3, §5.3.1",
		Effective: rfc5280,
		Advice: "carry the entries over; waive this only for certificates that have expired " +
			"and have stood on one list after that",
		applies: hasPrevious,
		check:   checkVanished,
	}, {
		ID: idHoldOnCA, Severity: Error, Object: ObjectCRL,
		Title:     "a list of authorities holds none of them temporarily",
		Harm:      "a temporary revocation of an authority: nobody can say which of its leaves were ever good",
		Citation:  "RFC 5280 §5.3.1; CABF BR §7.2.2",
		Effective: rfc5280,
		Advice:    "decide: revoke the authority for a reason that lasts, or leave it out",
		applies:   func(o *object) bool { return o.crl.onlyCACerts() || len(o.crl.given.Authorities) > 0 },
		check:     checkHold,
	}}
}

// checkExpiry compares the list's end with the clock and with the planned next
// signing. Lists are not asked for slack beyond that: how much is wise depends
// on how the next ceremony is prepared, which the estate knows.
func checkExpiry(o *object) []string {
	c := o.crl
	next := c.given.NextSigning
	switch {
	case !o.now.IsZero() && !o.now.Before(c.NextUpdate):
		return []string{fmt.Sprintf("the next update was due on %s, and it is %s: relying parties refuse the whole branch", date(c.NextUpdate), date(o.now))}
	case !next.IsZero() && c.NextUpdate.Before(next):
		return []string{fmt.Sprintf("the next update is due on %s, and the next signing is planned for %s: nothing is valid in between", date(c.NextUpdate), date(next))}
	}
	return nil
}

// checkWindow compares the list's two dates.
func checkWindow(o *object) []string {
	if c := o.crl; !c.NextUpdate.After(c.ThisUpdate) {
		return []string{fmt.Sprintf("this update is %s, the next one %s", date(c.ThisUpdate), date(c.NextUpdate))}
	}
	return nil
}

// checkHold looks for entries that are on hold.
func checkHold(o *object) []string {
	c := o.crl
	isAuthority := func(serial *big.Int) bool {
		return slices.ContainsFunc(c.given.Authorities, func(known *big.Int) bool { return known.Cmp(serial) == 0 })
	}
	var held []*big.Int
	for _, entry := range c.RevokedCertificateEntries {
		if entry.ReasonCode == reasonCertificateHold && (c.onlyCACerts() || isAuthority(entry.SerialNumber)) {
			held = append(held, entry.SerialNumber)
		}
	}
	if c.onlyCACerts() {
		return serialDetail(held, "on hold, in a list that covers authorities only")
	}
	return serialDetail(held, "on hold, and it is an authority's")
}

// checkNumber compares the number with the previous list's. A missing number
// is for zlint to say.
func checkNumber(o *object) []string {
	c, previous := o.crl, o.crl.previous
	if !bytes.Equal(c.RawIssuer, previous.RawIssuer) {
		return []string{fmt.Sprintf("the list before is by %q and this one by %q: they cannot be compared", previous.Issuer, c.Issuer)}
	}
	if c.Number == nil || previous.Number == nil || c.Number.Cmp(previous.Number) > 0 {
		return nil
	}
	return []string{fmt.Sprintf("the number is %s, the list before has %s", c.Number, previous.Number)}
}

// checkVanished looks for serial numbers of the previous list that this one
// does not have. An entry may leave when its certificate was on hold, which can
// be lifted. It may also leave after its certificate has ended; where nobody
// knows when that is, the case is a finding to be waived.
func checkVanished(o *object) []string {
	c := o.crl
	gone := slices.DeleteFunc(c.vanished(), func(serial *big.Int) bool { return c.expiredSince(serial, c.ThisUpdate) })
	return serialDetail(gone, "in the list before and not in this one: revoked certificates would be good again")
}

// vanished is the serial numbers of the previous list that this one does not
// have, but for those on hold.
func (c *revocationList) vanished() []*big.Int {
	present := make(map[string]bool, len(c.RevokedCertificateEntries))
	for _, entry := range c.RevokedCertificateEntries {
		present[string(entry.SerialNumber.Bytes())] = true
	}
	var gone []*big.Int
	for _, entry := range c.previous.RevokedCertificateEntries {
		if entry.ReasonCode != reasonCertificateHold && !present[string(entry.SerialNumber.Bytes())] {
			gone = append(gone, entry.SerialNumber)
		}
	}
	return gone
}

// serialDetail names serial numbers, a few of them in full, in one detail.
func serialDetail(serials []*big.Int, what string) []string {
	if len(serials) == 0 {
		return nil
	}
	var named []string
	for _, serial := range serials[:min(len(serials), maxListed)] {
		named = append(named, fmt.Sprintf("%x", serial))
	}
	text := strings.Join(named, ", ")
	if more := len(serials) - len(named); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return []string{fmt.Sprintf("serial number %s: %s", text, what)}
}
