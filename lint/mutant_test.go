package lint

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// judgeFixture judges a fixture of any kind as it lies on disk.
func judgeFixture(t testing.TB, l *Linter, r Rule, verdict string) []Finding {
	t.Helper()
	name := filepath.Join("testdata", r.Object, r.ID+"."+verdict)
	switch r.Object {
	case ObjectStepCA:
		return l.StepCAAt(readTree(t, name), testNow)
	case ObjectEstate:
		return l.Estate(readEstate(t, name+".json"), testNow)
	case ObjectSSH:
		return judgeSSH(t, l, readFixture(t, name+".txt"))
	case ObjectOCSP:
		return judgeOCSP(l, readFixture(t, name+".pem"))
	case ObjectAny:
		return judge(t, l, readFixture(t, fixturePath(ObjectCertificate, r.ID, verdict)))
	}
	return judge(t, l, readFixture(t, name+".pem"))
}

// TestMutants takes each rule away in turn, and puts one in its place that
// finds nothing. Its fixture must notice both: a rule that nobody would miss
// keeps nothing. Rules about reading are applied by the parsers and cannot be
// taken away.
func TestMutants(t *testing.T) {
	whole := mustNew(t, "private")
	stepCAKeys(t)
	for i, r := range whole.Rules() {
		heard := func(l *Linter) bool {
			return slices.ContainsFunc(judgeFixture(t, l, r, "fail"), func(f Finding) bool { return f.Lint == r.ID })
		}
		if !heard(whole) {
			t.Errorf("%s: its own fixture is quiet", r.ID)
		}
		if r.Object == ObjectAny {
			continue
		}
		without, mute := *whole, *whole
		without.rules = slices.Delete(slices.Clone(whole.rules), i, i+1)
		mute.rules = slices.Clone(whole.rules)
		mute.rules[i].check = func(*object) []string { return nil }
		for name, mutant := range map[string]*Linter{"taken away": &without, "that finds nothing": &mute} {
			if heard(mutant) {
				t.Errorf("%s %s lives: something else finds under its name", r.ID, name)
			}
		}
		loud := *whole
		loud.rules = slices.Clone(whole.rules)
		loud.rules[i].check = func(*object) []string { return []string{"always"} }
		loud.rules[i].applies = always
		if !slices.ContainsFunc(judgeFixture(t, &loud, r, "pass"), func(f Finding) bool { return f.Lint == r.ID }) {
			t.Errorf("%s: its pass is not an object of its kind, so it shows nothing", r.ID)
		}
	}
}

// TestCatalogue walks the catalogue of what this linter was to find, and says
// who finds it: a rule of ours, or the loader of estates, which refuses the
// mistake at its line before there is anything to lint.
func TestCatalogue(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "catalogue.tsv"))
	noError(t, err)
	known := map[string]bool{}
	for _, r := range mustNew(t, "private").Rules() {
		known[r.ID] = true
	}
	count := 0
	for line := range strings.Lines(string(text)) {
		id, elsewhere, _ := strings.Cut(strings.TrimSpace(line), "\t")
		count++
		if elsewhere == "" {
			if !known[id] {
				t.Errorf("%s is no rule", id)
			}
			continue
		}
		if known[id] {
			t.Errorf("%s is a rule, and is said to be kept by %s", id, elsewhere)
		}
		for _, file := range strings.Fields(elsewhere) {
			if _, err := os.Stat(filepath.Join("..", file)); err != nil {
				t.Errorf("%s: %v", id, err)
			}
		}
	}
	if count != 127 {
		t.Errorf("%d lines, want 127", count)
	}
}
