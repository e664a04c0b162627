package house

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestAssurance finds every test that docs/assurance.md names.
func TestAssurance(t *testing.T) {
	root := filepath.Join("..", "..")
	text, err := os.ReadFile(filepath.Join(root, "docs", "assurance.md"))
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`([a-z/]+)\\s+(Test\\w+|Fuzz\\w+|\\w+\\.txtar)`").FindAllStringSubmatch(string(text), -1)
	if len(named) < 30 {
		t.Fatalf("only %d tests are named", len(named))
	}
	for _, n := range named {
		dir, name := filepath.Join(root, n[1]), n[2]
		if strings.HasSuffix(name, ".txtar") {
			if _, err := os.Stat(filepath.Join(dir, "testdata", "script", name)); err != nil {
				t.Errorf("%s has no script %s", n[1], name)
			}
			continue
		}
		if !declares(t, dir, name) {
			t.Errorf("%s has no %s", n[1], name)
		}
	}
}

func declares(t *testing.T, dir, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "func "+name+"(") {
			return true
		}
	}
	return false
}
