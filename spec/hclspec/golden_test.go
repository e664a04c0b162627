package hclspec

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"

	"pki.internal/spec"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const errorsDir = "testdata/errors"

// TestErrors loads every folder under testdata/errors and compares all
// diagnostics with want.txt. The text says what a person sees, so a change of
// words is seen in review.
func TestErrors(t *testing.T) {
	cases := errorCases(t)
	if len(cases) < 45 {
		t.Fatalf("only %d cases found", len(cases))
	}
	for _, name := range cases {
		t.Run(name, func(t *testing.T) {
			folder, vars := errorCase(t, name)
			loaded, diags := Load(folder, vars)
			if loaded.Estate != nil || !diags.HasErrors() {
				t.Errorf("an estate came out, with %d diagnostics", len(diags))
			}
			have := diagnosticsText(diags)
			golden := filepath.Join(errorsDir, name, "want.txt")
			if *update {
				if err := os.WriteFile(golden, []byte(have), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if have != string(want) {
				t.Errorf("diagnostics differ from %s (go test -update rewrites it):\n%s", golden, have)
			}
		})
	}
}

func errorCases(t testing.TB) []string {
	t.Helper()
	entries, err := os.ReadDir(errorsDir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// errorCase puts a case on top of the sound base, unless it has its own or is
// a folder without any estate. vars.txt holds what --var would give.
func errorCase(t testing.TB, name string) (fs.FS, map[string]string) {
	t.Helper()
	folder, vars := fstest.MapFS{}, map[string]string{}
	add := func(name, from string) {
		text, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		folder[name] = &fstest.MapFile{Data: text}
	}
	dir := os.DirFS(filepath.Join(errorsDir, name))
	err := fs.WalkDir(dir, ".", func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			add(p, filepath.Join(errorsDir, name, p))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if folder["base.pki.hcl"] == nil && folder["README"] == nil {
		add("base.pki.hcl", "testdata/base.pki.hcl")
	}
	if folder["vars.txt"] != nil {
		for line := range strings.Lines(string(folder["vars.txt"].Data)) {
			key, value, _ := strings.Cut(strings.TrimRight(line, "\n"), "=")
			vars[key] = value
		}
	}
	return folder, vars
}

// diagnosticsText writes everything that a diagnostic says.
func diagnosticsText(diags spec.Diagnostics) string {
	var b strings.Builder
	for _, d := range diags {
		fmt.Fprintf(&b, "%s: %s\n", d.Severity, d.Summary)
		if d.Range != nil {
			fmt.Fprintf(&b, "  %s:%d:%d", d.Range.File, d.Range.Start.Line, d.Range.Start.Column)
			if d.Address != "" {
				fmt.Fprintf(&b, ", in %s", d.Address)
			}
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "  %s\n\n", d.Detail)
	}
	return b.String()
}

// TestErrorsAreWellWritten holds the words of every golden against the house
// style: a summary is terse and has no names in it; a detail is full
// sentences, the last of which is a next step or a question.
func TestErrorsAreWellWritten(t *testing.T) {
	sentence := regexp.MustCompile(`[.?!] \S`)
	for _, name := range errorCases(t) {
		folder, vars := errorCase(t, name)
		_, diags := Load(folder, vars)
		seen := map[string]bool{}
		for i := range diags {
			d := &diags[i]
			text := diagnosticsText(spec.Diagnostics{*d})
			if seen[text] {
				t.Errorf("%s: said twice: %s", name, text)
			}
			seen[text] = true
			switch {
			case strings.ContainsAny(d.Summary, "\"`.:%") || d.Summary == "" || len(d.Summary) > 60 || !unicode.IsUpper([]rune(d.Summary)[0]):
				t.Errorf("%s: summary %q has a name in it or is not terse", name, d.Summary)
			case strings.Contains(d.Detail, "%!") || strings.Contains(d.Detail, "  ") || strings.Contains(d.Detail, "\n"):
				t.Errorf("%s: detail %q is badly put together", name, d.Detail)
			case !strings.HasSuffix(d.Detail, ".") && !strings.HasSuffix(d.Detail, "?") || strings.HasSuffix(d.Detail, ".."):
				t.Errorf("%s: detail %q ends in no sentence", name, d.Detail)
			case !strings.HasSuffix(d.Detail, "?") && !sentence.MatchString(d.Detail):
				t.Errorf("%s: detail %q says what is wrong, and not what to do", name, d.Detail)
			}
		}
	}
}
