package plan_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"pki.internal/plan"
	"pki.internal/spec"
	"pki.internal/spec/hclspec"
)

// largeEstate gives an estate of n authorities: a root, up to a hundred
// intermediates, and issuing authorities below them.
func largeEstate(tb testing.TB, n int) *spec.Estate {
	tb.Helper()
	var b strings.Builder
	b.WriteString(`estate "large" { environment = "lab" }
secret "keys" { prompt = true }
key_store "file" "keys" {
  path     = "keys"
  password = secret.keys
}
`)
	write := func(name, issuer, cn, validity string) {
		fmt.Fprintf(&b, "authority %q {\n%s  subject { common_name = %q }\n  key {\n    store     = key_store.keys\n    algorithm = \"ecdsa-p256\"\n  }\n"+
			"  validity = %q\n  crl {\n    urls        = [\"http://pki.example/%s.crl\"]\n    valid_for   = \"360d\"\n    issue_every = \"330d\"\n  }\n}\n",
			name, issuer, cn, validity, name)
	}
	write("root", "", "Root", "20y")
	middle := min(100, n/3)
	for i := range n - 1 {
		if i < middle {
			write(fmt.Sprintf("middle%d", i), "  issuer = authority.root\n", fmt.Sprintf("Middle %d", i), "10y")
		} else {
			write(fmt.Sprintf("issuing%d", i), fmt.Sprintf("  issuer = authority.middle%d\n", i%middle), fmt.Sprintf("Issuing %d", i), "5y")
		}
	}
	loaded, diags := hclspec.Load(fstest.MapFS{"large.pki.hcl": {Data: []byte(b.String())}}, nil)
	if diags.HasErrors() {
		tb.Fatal(diags)
	}
	return loaded.Estate
}

// TestLargeEstate plans more authorities than there are remembered preview
// keys, twice, to the same bytes.
func TestLargeEstate(t *testing.T) {
	e := largeEstate(t, 200)
	first, err := mustMake(t, e, plan.State{}, someInputs).Encode()
	if err != nil {
		t.Fatal(err)
	}
	again := mustMake(t, e, plan.State{}, someInputs)
	second, err := again.Encode()
	if err != nil || string(first) != string(second) {
		t.Errorf("two plans of one estate differ (%v)", err)
	}
	if len(again.Actions) != 600 {
		t.Errorf("%d actions, want a key, a certificate and a list for each of 200", len(again.Actions))
	}
}

func BenchmarkMakeLarge(b *testing.B) {
	e := largeEstate(b, 10000)
	for b.Loop() {
		if _, diags := plan.Make(e, plan.State{}, someInputs); diags.HasErrors() {
			b.Fatal(diags)
		}
	}
}
