package plan

import (
	"testing"
	"time"

	"pki.internal/lint"
)

// TestKeysAsTheirTokensSay puts what tokens said of keys before lint: a key that
// was sealed after its backup is as good as one that could never leave, and
// any other that can leave, or could, is not.
func TestKeysAsTheirTokensSay(t *testing.T) {
	l, err := lint.New("private")
	if err != nil {
		t.Fatal(err)
	}
	born := []string{"sensitive=true", "extractable=false", "never_extractable=true"}
	wrapped := []string{"sensitive=true", "extractable=true", "never_extractable=false"}
	for name, c := range map[string]struct {
		said        []string
		extractable bool // as planned, until it is sealed
		sealed      bool
		faulty      bool
	}{
		"born on the token":            {said: born},
		"nothing is known":             {},
		"sealed after its backup":      {said: wrapped, extractable: true, sealed: true},
		"its ceremony ended before":    {said: wrapped, extractable: true, faulty: true},
		"imported":                     {said: []string{"sensitive=true", "extractable=false", "never_extractable=false"}, faulty: true},
		"can be read":                  {said: []string{"sensitive=false"}, faulty: true},
		"can leave, and nobody sealed": {said: []string{"extractable=true"}, faulty: true},
		"sealed, and nobody opened it": {said: wrapped, sealed: true, faulty: true},
		"sealed, and it can be read":   {said: []string{"sensitive=false"}, extractable: true, sealed: true, faulty: true},
	} {
		g := Generation{Key: &KeyMade{Key: KeyAction{Extractable: c.extractable}}, Sealed: c.sealed}
		for _, claim := range c.said {
			g.Key.Evidence = append(g.Key.Evidence, Evidence{Claim: claim, Grade: "observed"})
		}
		key := lint.TokenKey{Address: "authority.root", Token: "t", Sensitive: true, NeverExtractable: true}
		g.judgeable(&key)
		found := l.Estate(lint.Estate{Keys: []lint.TokenKey{key}}, time.Time{})
		if (len(found) > 0) != c.faulty {
			t.Errorf("%s: lint finds %v", name, found)
		}
	}
}
