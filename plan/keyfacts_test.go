package plan_test

import (
	"slices"
	"testing"

	"pki.internal/plan"
	"pki.internal/spec"
)

// hardened gives the estate of two tokens as production would have it: hardware
// whose module is pinned, a backup of every key, and two who read the clock.
func hardened(t *testing.T) *spec.Estate {
	t.Helper()
	e := loadExample(t, "two-tier-hsm")
	e.Environment = spec.Production
	for _, k := range e.KeyStores {
		if k.Token != nil {
			k.Token.Module, k.Token.ModuleSHA256 = "/opt/vendor/lib/libcs_pkcs11.so", "00"
		}
	}
	for _, a := range e.Authorities {
		copied, token := *a.Key.Store, *a.Key.Store.Token
		copied.Address.Name, token.Label, copied.Token = a.Key.Store.Address.Name+"_b", token.Label+"-b", &token
		e.KeyStores = append(e.KeyStores, &copied)
		a.Key.Backup = []*spec.KeyStore{&copied}
	}
	for name, role := range map[string]string{"ada": spec.Administrator, "alan": spec.Operator, "grace": spec.Witness} {
		e.Officers = append(e.Officers, &spec.Officer{Origin: spec.Origin{Address: spec.Address{Kind: "officer", Name: name}}, Role: role})
	}
	slices.SortFunc(e.Officers, func(a, b *spec.Officer) int { return compare(a.Name(), b.Name()) })
	return e
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// TestFactsOfTokens spoils a production estate on tokens in one way after the
// other, and wants lint to say so in the plan; unspoilt it says nothing.
func TestFactsOfTokens(t *testing.T) {
	root := func(e *spec.Estate) *spec.Authority { return e.Authorities[0] }
	for name, c := range map[string]struct {
		spoil func(*spec.Estate)
		want  []string
	}{
		"well":           {func(*spec.Estate) {}, nil},
		"a lab":          {func(e *spec.Estate) { *e = *loadExample(t, "two-tier-hsm") }, nil},
		"no backup":      {func(e *spec.Estate) { root(e).Key.Backup = nil }, []string{"w_plan_no_backup_of_key"}},
		"none is meant":  {func(e *spec.Estate) { root(e).Key.Backup, root(e).Key.BackupPolicy = nil, spec.NoBackup }, nil},
		"a program":      {func(e *spec.Estate) { root(e).Key.Store.Token.Module = "/usr/lib/softhsm/libsofthsm2.so" }, []string{"e_plan_software_token"}},
		"not pinned":     {func(e *spec.Estate) { root(e).Key.Store.Token.ModuleSHA256 = "" }, []string{"e_plan_tool_hash_missing"}},
		"nobody to read": {func(e *spec.Estate) { e.Officers = nil }, []string{"e_plan_clock_unverified"}},
		"one who reads":  {func(e *spec.Estate) { e.Officers = e.Officers[:1] }, []string{"e_plan_clock_unverified"}},
	} {
		t.Run(name, func(t *testing.T) {
			e := hardened(t)
			c.spoil(e)
			var got []string
			for _, f := range mustMake(t, e, plan.State{}, someInputs).Findings {
				got = append(got, f.Lint)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("lint finds %v, want %v", got, c.want)
			}
		})
	}
}
