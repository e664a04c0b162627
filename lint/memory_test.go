package lint

import (
	"slices"
	"sync"
	"testing"
)

// TestMemory judges trees with one linter, at the same time and again, and needs
// the findings of a linter that saw nothing before.
func TestMemory(t *testing.T) {
	l := mustNew(t, "private")
	var trees [][]File
	for _, text := range []string{
		`{"subject": {{ toJson .Subject }}, "sans": {{ toJson .SANs }}}`,
		`{"subject": {{ toJson .Insecure.CR.Subject }}, "basicConstraints": {"isCA": true}}`,
		`{"subject": {{ toJson .Subject }`,
	} {
		config := `{"authority": {"provisioners": [{"type": "ACME", "name": "a", "options": {"x509": {"templateFile": "a.tpl"}}}]}}`
		trees = append(trees, []File{{Path: "config/ca.json", Data: []byte(config)}, {Path: "a.tpl", Data: []byte(text)}})
	}
	var all sync.WaitGroup
	for i := range 12 {
		all.Go(func() {
			tree := trees[i%len(trees)]
			want := mustNew(t, "private").StepCAAt(tree, testNow)
			if len(want) == 0 {
				t.Error("nothing is found in a tree without an address")
			}
			if have := l.StepCAAt(tree, testNow); !slices.EqualFunc(have, want, func(a, b Finding) bool { return a.Lint == b.Lint && a.Detail == b.Detail }) {
				t.Errorf("tree %d: found %v, and by a new linter %v", i%len(trees), have, want)
			}
		})
	}
	all.Wait()
}

// TestDigestOf tells parts apart that are the same when they are put together.
func TestDigestOf(t *testing.T) {
	if digestOf([][]byte{[]byte("ab"), []byte("c")}) == digestOf([][]byte{[]byte("a"), []byte("bc")}) {
		t.Error("two lists of parts have one digest")
	}
}
