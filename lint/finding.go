package lint

import (
	"cmp"
	"slices"
)

// SourcePKI is the [Finding.Source] of our own rules.
const SourcePKI = "pki"

// Finding is one fault of one object.
type Finding struct {
	// Lint is the exact id of the lint, ours or zlint's. Waivers name it.
	Lint string `json:"lint"`
	// Severity is how bad it is in the profile that was asked.
	Severity Severity `json:"severity"`
	// Detail says what is wrong in this object, with its values.
	Detail string `json:"detail"`
	// Citation is where the rule is written, such as "RFC 5280 §4.2.1.9".
	Citation string `json:"citation"`
	// Advice says how to mend it. Our own lints always have one.
	Advice string `json:"advice"`
	// Harm says who was bitten by such a fault. Only our own lints have one; a
	// plan does not carry it, because the lint's name says it all.
	Harm string `json:"-"`
	// Source is [SourcePKI], or zlint's source, such as "RFC5280" or "CABF_BR".
	Source string `json:"source"`
	// Waived is the reason of the waiver that covers the finding. It is empty
	// where none does; only [Policy.Judge] sets it.
	Waived string `json:"waived,omitempty"`
}

// sortFindings puts the most severe first, then orders by lint and by detail,
// so that the same object always gives the same list.
func sortFindings(findings []Finding) {
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(b.Severity, a.Severity),
			cmp.Compare(a.Lint, b.Lint),
			cmp.Compare(a.Detail, b.Detail),
		)
	})
}
