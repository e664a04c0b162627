package lint

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"slices"
)

// Ids of the rules about entries, which hold for streams as well.
const (
	idEntryMalformed = "e_crlx_entry_malformed"
	idEntryDoubled   = "e_crlx_entry_doubled"
	idEntryFuture    = "e_crlx_revoked_in_future"
)

// entryRules are about single entries, and about delta lists.
func entryRules() []Rule {
	return []Rule{{
		ID: idEntryMalformed, Severity: Error, Object: ObjectCRL,
		Title:     "every entry is as RFC 5280 writes it",
		Harm:      "strict parsers refuse the whole list for one bad entry",
		Citation:  "RFC 5280 §4.1.2.2, §5.1.2.6, §5.3",
		Effective: rfc5280,
		Advice:    "leave the entry out, or write it as the rule says",
		applies:   always,
		check:     checkEntryForms,
	}, {
		ID: idEntryDoubled, Severity: Error, Object: ObjectCRL,
		Title:     "no certificate stands twice",
		Harm:      "two reasons and two dates for one certificate: clients take either",
		Citation:  "RFC 5280 §5.1.2.6",
		Effective: rfc5280,
		Advice:    "merge the entries of one serial number",
		applies:   always,
		check:     checkEntriesDoubled,
	}, {
		ID: idEntryFuture, Severity: Error, Object: ObjectCRL,
		Title:     "nothing is revoked after the list is issued",
		Harm:      "clients disagree whether the certificate is revoked today",
		Citation:  "RFC 5280 §5.1.2.6",
		Effective: rfc5280,
		Advice:    "correct the date of revocation, or issue the list later",
		applies:   always,
		check: func(o *object) []string {
			var late []*big.Int
			for _, entry := range o.crl.RevokedCertificateEntries {
				if entry.RevocationTime.After(o.crl.ThisUpdate) {
					late = append(late, entry.SerialNumber)
				}
			}
			return serialDetail(late, "revoked after "+date(o.crl.ThisUpdate)+", the date of the list")
		},
	}, {
		ID: "e_crlx_delta_without_base", Severity: Error, Object: ObjectCRL,
		Title:     "a delta list says from which complete list it starts, and that one is there",
		Harm:      "clients without the base see a part for the whole, or fail",
		Citation:  "RFC 5280 §5.2.4",
		Effective: rfc5280,
		Advice:    "mark the delta indicator critical, name the number of a complete list, and publish that list or a newer one beside it",
		applies:   func(o *object) bool { return o.crl.delta() != nil },
		check:     checkDelta,
	}}
}

// checkEntryForms looks at numbers and reasons of the entries.
func checkEntryForms(o *object) []string {
	var negative, long, reasons, removed []*big.Int
	for _, entry := range o.crl.RevokedCertificateEntries {
		switch {
		case entry.SerialNumber.Sign() <= 0:
			negative = append(negative, entry.SerialNumber)
		case entry.SerialNumber.BitLen() > 159:
			long = append(long, entry.SerialNumber)
		}
		if entry.ReasonCode == reasonRemoveFromCRL && o.crl.delta() == nil {
			removed = append(removed, entry.SerialNumber)
		}
		// RFC 5280 §5.3.1: seven is not used, ten is the last.
		if r := entry.ReasonCode; r < 0 || r == 7 || r > 10 {
			reasons = append(reasons, entry.SerialNumber)
		}
	}
	details := serialDetail(negative, "a serial number that is not positive, which no certificate may have")
	details = append(details, serialDetail(long, "longer than 20 octets, which no certificate may have")...)
	details = append(details, serialDetail(removed, "removeFromCRL, which only a delta list may say")...)
	return append(details, serialDetail(reasons, "a reason code that RFC 5280 does not have")...)
}

// checkEntriesDoubled looks for numbers that stand twice. In an indirect list
// an entry may be of another issuer, so numbers alone say nothing.
func checkEntriesDoubled(o *object) []string {
	if s := o.crl.scope(); s != nil && s.indirect {
		return nil
	}
	seen := make(map[string]bool, len(o.crl.RevokedCertificateEntries))
	var twice []*big.Int
	for _, entry := range o.crl.RevokedCertificateEntries {
		key := entry.SerialNumber.Text(16)
		if seen[key] {
			twice = append(twice, entry.SerialNumber)
		}
		seen[key] = true
	}
	return serialDetail(twice, "stands more than once")
}

// deltaOf is what a delta indicator says.
type deltaOf struct {
	critical bool
	base     *big.Int // nil when it cannot be read
}

// delta is the list's delta indicator, nil when it is a complete list.
func (c *revocationList) delta() *deltaOf {
	id := asn1.ObjectIdentifier{2, 5, 29, 27}
	i := slices.IndexFunc(c.Extensions, func(e pkix.Extension) bool { return e.Id.Equal(id) })
	if i < 0 {
		return nil
	}
	d := &deltaOf{critical: c.Extensions[i].Critical}
	number := new(big.Int)
	if rest, err := asn1.Unmarshal(c.Extensions[i].Value, &number); err == nil && len(rest) == 0 {
		d.base = number
	}
	return d
}

// checkDelta reads the delta indicator and compares it with the list's own
// number and with the complete list at hand.
func checkDelta(o *object) []string {
	c, d := o.crl, o.crl.delta()
	var details []string
	if !d.critical {
		details = append(details, "the delta indicator is not critical: clients that skip it take the list for a complete one")
	}
	switch {
	case d.base == nil:
		return append(details, "the delta indicator cannot be read, so nobody knows which list this one goes with")
	case c.Number != nil && d.base.Cmp(c.Number) > 0:
		details = append(details, fmt.Sprintf("the list has number %s and starts from number %s, which is later", c.Number, d.base))
	}
	if c.base != nil && c.base.Number != nil && c.base.Number.Cmp(d.base) < 0 {
		details = append(details, fmt.Sprintf("the list starts from number %s, and the newest complete list at hand is number %s: together they have a gap", d.base, c.base.Number))
	}
	return details
}
