package plan

import (
	"fmt"
	"testing"

	"pki.internal/spec"
)

// TestShortKeyIDs draws ids for a token that keeps one byte of each, until most of
// them are taken: no two are the same. A second store that keeps more gets the
// same id, and one that keeps everything gets sixteen bytes.
func TestShortKeyIDs(t *testing.T) {
	keeps := func(name string, n uint) *spec.KeyStore {
		return &spec.KeyStore{Origin: spec.Origin{Address: spec.Address{Kind: "key_store", Name: name}},
			Token: &spec.Token{Capabilities: &spec.Capabilities{Token: spec.CapabilityToken{IDBytes: n}}}}
	}
	small, larger, whole := keeps("a", 1), keeps("b", 7), keeps("c", 0)
	m := &maker{plan: &Plan{}}
	seen := map[string]bool{}
	for i := range 200 {
		id := m.idInStore("key id", spec.Address{Kind: "authority", Name: fmt.Sprintf("x%d", i)}, 1, &spec.Key{Store: small, Backup: []*spec.KeyStore{larger}})
		if len(id) != 2 || seen[id] {
			t.Fatalf("id %d is %q, taken %t", i, id, seen[id])
		}
		seen[id] = true
		m.plan.Actions = append(m.plan.Actions, Action{Kind: GenerateKey, GenerateKey: &KeyAction{Store: small.Address, KeyID: id}})
	}
	if id := m.idInStore("key id", spec.Address{Kind: "authority", Name: "y"}, 1, &spec.Key{Store: whole}); len(id) != 32 {
		t.Errorf("a token that keeps everything gets %q", id)
	}
	if id := m.idInStore("key id", spec.Address{Kind: "authority", Name: "y"}, 1, &spec.Key{Store: whole, Backup: []*spec.KeyStore{larger}}); len(id) != 14 {
		t.Errorf("a key with a backup on a token that keeps seven bytes gets %q", id)
	}
}
