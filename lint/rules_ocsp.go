package lint

import (
	"fmt"
	"time"
)

// longestAnswer is how long an answer about an authority may count (CABF BR
// §4.9.10: twelve months), with the days that months may differ by.
const longestAnswer = 372 * 24 * time.Hour

// responseRules are about OCSP responses.
func responseRules() []Rule {
	return []Rule{{
		ID: "e_ocsp_response_window", Severity: Error, Object: ObjectOCSP,
		Title:     "an answer has an end, which is soon enough and not after its signer's",
		Citation:  "RFC 6960 §2.4, §4.2.2.1; RFC 5019 §4; CABF BR §4.9.10",
		Effective: rfc6960,
		Advice:    "set nextUpdate to the day of the next response, before the responder's certificate ends",
		applies:   always,
		check:     checkAnswers,
	}}
}

// checkAnswers looks at the window of every answer.
func checkAnswers(o *object) []string {
	r := o.ocsp
	longest := r.given.Longest
	if longest == 0 {
		longest = longestAnswer
	}
	var details []string
	for i, a := range r.answers {
		where := fmt.Sprintf("answer %d", i+1)
		switch {
		case a.next.IsZero():
			details = append(details, where+" has no nextUpdate: nobody knows how long it counts")
		case !a.next.After(a.this):
			details = append(details, fmt.Sprintf("%s ends on %s, and begins on %s", where, date(a.next), date(a.this)))
		case a.next.Sub(a.this) > longest:
			details = append(details, fmt.Sprintf("%s counts for %s, and %s is allowed", where, span(a.next.Sub(a.this)), span(longest)))
		case !o.now.IsZero() && !o.now.Before(a.next):
			details = append(details, fmt.Sprintf("%s ended on %s, and it is %s", where, date(a.next), date(o.now)))
		case r.responder != nil && a.next.After(r.responder.NotAfter):
			details = append(details, fmt.Sprintf("%s ends on %s, and the responder's certificate on %s", where, date(a.next), date(r.responder.NotAfter)))
		}
	}
	return details
}
