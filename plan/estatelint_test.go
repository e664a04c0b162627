package plan_test

import (
	"slices"
	"strings"
	"testing"

	"pki.internal/lint"
	"pki.internal/plan"
	"pki.internal/spec"
)

// TestEstateAsAWhole changes what no single object shows, and wants it in the
// plan without stopping it.
func TestEstateAsAWhole(t *testing.T) {
	find := func(change func(e *spec.Estate)) []lint.Finding {
		t.Helper()
		e := loadExample(t, "two-tier")
		change(e)
		return mustMake(t, e, plan.State{}, someInputs).Findings
	}
	if got := find(func(*spec.Estate) {}); len(got) > 0 {
		t.Errorf("a good estate: %v", got)
	}
	issuing := func(e *spec.Estate) *spec.Authority { return e.Authorities[1] }
	got := find(func(e *spec.Estate) { issuing(e).Validity = spec.Duration{Years: 15} })
	if !slices.ContainsFunc(got, func(f lint.Finding) bool { return f.Lint == "e_spec_validity_ladder" && f.Waived == "" }) {
		t.Errorf("no room for a successor: %v", got)
	}
	waived := find(func(e *spec.Estate) {
		issuing(e).Validity = spec.Duration{Years: 15}
		e.Lint.Waivers = []spec.Waiver{{Lint: "e_spec_validity_ladder", Object: issuing(e).Address, Reason: "the root goes with it", Citation: "CPS 5.6", Until: "2099-01-01"}}
	})
	if len(waived) != 1 || waived[0].Waived == "" || !strings.HasPrefix(waived[0].Detail, "the successor of authority.issuing") {
		t.Errorf("waived: %v", waived)
	}
}

// TestClientNames keeps the names that estates may write and those that lint
// knows the same.
func TestClientNames(t *testing.T) {
	if !slices.Equal(spec.Clients(), lint.Clients()) {
		t.Errorf("estates may write %v, and lint knows %v", spec.Clients(), lint.Clients())
	}
}
