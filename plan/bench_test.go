package plan_test

import (
	"os"
	"testing"
	"time"

	"pki.internal/plan"
	"pki.internal/spec"
	"pki.internal/spec/hclspec"
)

// loadExample reads an example estate, whose files hold no secrets.
func loadExample(tb testing.TB, name string) *spec.Estate {
	tb.Helper()
	loaded, diags := hclspec.Load(os.DirFS("../examples/"+name), nil)
	if diags.HasErrors() {
		tb.Fatal(diags)
	}
	return loaded.Estate
}

var someInputs = plan.Inputs{
	At:     time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC),
	Window: spec.Duration{Days: 7},
	Seed:   [32]byte{1, 2, 3},
	Tool:   plan.Tool{Version: "test", SHA256: "00"},
}

func BenchmarkMakeTwoTier(b *testing.B) {
	e := loadExample(b, "two-tier")
	for b.Loop() {
		if _, diags := plan.Make(e, plan.State{}, someInputs); diags.HasErrors() {
			b.Fatal(diags)
		}
	}
}
