package lint

import (
	"slices"
	"time"
)

// Waiver accepts one finding of one object, for a reason and for a time.
type Waiver struct {
	// Lint is the exact id of the lint.
	Lint string
	// Object is the exact address of the object, such as authority.root.
	Object string
	// Reason says why the fault is accepted. A waiver without one waives
	// nothing.
	Reason string
	// Citation is where the acceptance is written, such as "CPS 6.1.5".
	Citation string
	// Author is who accepts it.
	Author string
	// Until is when the waiver ends. A waiver without an end waives nothing.
	Until time.Time
}

// covers says whether w waives f of the object at the moment now. Without a
// clock nobody can tell that a waiver has not ended, so it covers nothing.
func (w Waiver) covers(f Finding, object string, now time.Time) bool {
	return w.Reason != "" && w.Lint == f.Lint && w.Object == object &&
		!now.IsZero() && now.Before(w.Until)
}

// Policy says which findings stop an object.
type Policy struct {
	// FailOn is the least severity that stops an object. Zero is [Error].
	FailOn Severity
	// Waivers are the findings that are accepted.
	Waivers []Waiver
}

// Judge sorts findings (the most severe first, then by id, then by detail),
// marks those that a waiver covers, and says whether the object passes: no
// finding at or above FailOn that is not waived. The argument is not changed.
func (p Policy) Judge(object string, findings []Finding, now time.Time) (judged []Finding, pass bool) {
	failOn := p.FailOn
	if failOn == 0 {
		failOn = Error
	}
	judged = slices.Clone(findings)
	sortFindings(judged)
	pass = true
	for i := range judged {
		f := &judged[i]
		f.Waived = ""
		for _, w := range p.Waivers {
			if w.covers(*f, object, now) {
				f.Waived = w.Reason
				break
			}
		}
		if f.Waived == "" && f.Severity >= failOn {
			pass = false
		}
	}
	return judged, pass
}
