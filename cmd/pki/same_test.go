package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestSameInputsSameBytes makes a plan twice from two copies of an estate,
// with one date and one seed, and renders one ledger twice.
func TestSameInputsSameBytes(t *testing.T) {
	t.Parallel()
	for _, example := range []string{"two-tier", "csr-from-kms"} {
		t.Run(example, func(t *testing.T) {
			t.Parallel()
			one, two := estate(t, example, true), estate(t, example, true)
			for _, at := range []string{"2027-01-04T09:00:00Z", "2027-12-10T09:00:00Z"} {
				for _, format := range []string{"text", "json", "markdown"} {
					args := []string{"plan", "--at", at, "--format", format, "-C"}
					seed := []string{envSeed + "=the same"}
					a, b := must(t, seed, append(args, one)...), must(t, seed, append(args, two)...)
					if a != b {
						t.Errorf("%s plans differ:\n%s\n%s", format, a, b)
					}
				}
			}
			for _, dir := range []string{one, two} {
				must(t, nil, "-C", dir, "render", "--out", filepath.Join(dir, "again"))
			}
			if out, err := exec.Command("diff", "-r", filepath.Join(one, "again"), filepath.Join(two, "again")).CombinedOutput(); err != nil {
				t.Errorf("rendered files differ: %s", out)
			}
		})
	}

	// Before the first ceremony, where serials and key ids are drawn.
	t.Run("first plan", func(t *testing.T) {
		t.Parallel()
		dir := estate(t, "two-tier", false)
		var plans []string
		for _, seed := range []string{"the same", "the same", "another"} {
			name := filepath.Join(t.TempDir(), "plan.json")
			must(t, []string{envSeed + "=" + seed}, "-C", dir, "plan", "--out", name)
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			plans = append(plans, string(text))
		}
		if plans[0] != plans[1] {
			t.Error("one seed gives two plans")
		}
		if plans[0] == plans[2] {
			t.Error("two seeds give one plan")
		}
	})
}
