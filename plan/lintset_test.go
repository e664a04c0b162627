package plan

import (
	"slices"
	"testing"

	"pki.internal/lint"
)

func TestNewRules(t *testing.T) {
	linter, err := lint.New("private")
	if err != nil {
		t.Fatal(err)
	}
	names := ruleNames(linter)
	marks := ruleMarks(names)
	if len(names) < 200 || len(marks) != ruleMark*len(names) {
		t.Fatalf("%d names, %d bytes", len(names), len(marks))
	}
	seen := map[string]bool{}
	for mark := range slices.Chunk(marks, ruleMark) {
		if seen[string(mark)] {
			t.Error("two rules have one mark; make it longer")
		}
		seen[string(mark)] = true
	}
	if found := newRules(names, marks); len(found) > 0 {
		t.Errorf("new since the same set: %q", found)
	}
	if found := newRules(names, marks[:len(marks)-2*ruleMark]); !slices.Equal(found, names[len(names)-2:]) {
		t.Errorf("new: %q, want %q", found, names[len(names)-2:])
	}
	if found := newRules(names, nil); found != nil {
		t.Errorf("a ledger without marks says %q", found)
	}
}
