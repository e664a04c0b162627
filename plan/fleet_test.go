package plan_test

import (
	"bytes"
	"testing"

	"pki.internal/plan"
)

// TestFleetOfAuthorities plans two hundred sites in three regions from one
// table, twice, to the same bytes; every example name has been asked about.
func TestFleetOfAuthorities(t *testing.T) {
	e := loadExample(t, "fleet-authorities")
	if len(e.Authorities) != 204 {
		t.Fatalf("%d authorities", len(e.Authorities))
	}
	var encoded [2][]byte
	for i := range encoded {
		p, diags := plan.Make(e, plan.State{}, someInputs)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		keys := 0
		for _, a := range p.Actions {
			if a.Kind == plan.GenerateKey {
				keys++
			}
		}
		if keys != 204 || len(p.Actions) != 3*204 {
			t.Errorf("%d keys in %d actions", keys, len(p.Actions))
		}
		var err error
		if encoded[i], err = p.Encode(); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(encoded[0], encoded[1]) {
		t.Error("the plan came out differently the second time")
	}
}
