package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pki.internal/plan"
)

// TestKilledAroundShares ends the ceremony with SIGKILL at each effect from the
// first share file to the first key. Whatever was handed out before the entry
// is void; after it the shares that were handed out open what is locked.
func TestKilledAroundShares(t *testing.T) {
	t.Parallel()
	whole := estate(t, "custodians", false)
	record := filepath.Join(t.TempDir(), "effects")
	must(t, []string{envEffects + "=" + record}, "-C", whole, "apply", planOf(whole), "--yes")
	effects := linesOf(t, record)
	want := without(endOf(t, whole).facts, plan.HoldersNamed)
	last := slices.Index(effects, "after key root") + 1
	if last < 12 {
		t.Fatalf("the root's key is made at effect %d of %v", last, effects)
	}
	for i, effect := range effects[:last] {
		t.Run(fmt.Sprintf("%02d %s", i+1, strings.ReplaceAll(effect, "/", " ")), func(t *testing.T) {
			t.Parallel()
			dir := estate(t, "custodians", false)
			killed(t, i+1, "-C", dir, "apply", planOf(dir), "--yes")
			must(t, nil, "-C", dir, "apply", planOf(dir), "--yes", "--resume")
			must(t, nil, "-C", dir, "verify")
			if have := without(endOf(t, dir).facts, plan.HoldersNamed); !slices.Equal(have, want) {
				t.Errorf("the ledger has %v, want %v", have, want)
			}
			if i%3 != 0 {
				return
			}
			// The set in force, and no other, opens the root's key a year later.
			later := []string{envNow + "=2027-12-10T09:00:00Z"}
			second := filepath.Join(dir, "second.json")
			must(t, later, "-C", dir, "plan", "--out", second)
			must(t, later, "-C", dir, "apply", second, "--yes")
			if _, err := os.Stat(filepath.Join(dir, "keys/root/root.key")); err != nil {
				t.Error(err)
			}
		})
	}
}

// without leaves out a kind of fact: a set that was named and never came into
// force stays named.
func without(facts []string, kind plan.EventKind) []string {
	return slices.DeleteFunc(slices.Clone(facts), func(fact string) bool { return fact == string(kind) })
}
