package hclspec

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestStyle squeezes empty lines outside of heredocs, and ends in one line.
func TestStyle(t *testing.T) {
	for text, want := range map[string]string{
		"a=1\n\n\n\nbb = 2\n\n":               "a = 1\n\nbb = 2\n",
		"a = <<E\n1\n\n\n\n2\nE\n\n\n\nb = 1": "a = <<E\n1\n\n\n\n2\nE\n\nb = 1\n",
		"":                                    "",
		"\n\n# x":                             "# x\n",
		"b {c = 1}\n":                         "b { c = 1 }\n",
	} {
		have, diags := Style([]byte(text), "a")
		if diags.HasErrors() || string(have) != want {
			t.Errorf("%q became %q, want %q\n%s", text, have, want, diagnosticsText(diags))
		}
	}
	for name, bad := range map[string]string{"syntax": "a = ", "deep": "a = " + strings.Repeat("(", 100_000), "large": strings.Repeat("#", maxFile+1), "encoding": "a-=E\xe7\n\n"} {
		if have, diags := Style([]byte(bad), "a"); have != nil || !diags.HasErrors() {
			t.Errorf("%s: %d bytes came out", name, len(have))
		}
	}
}

// FuzzStyle never panics, and styling twice changes nothing more.
func FuzzStyle(f *testing.F) {
	names, err := filepath.Glob("../../examples/*/*.pki.hcl")
	if err != nil || len(names) == 0 {
		f.Fatal(err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte("a = <<E\n\n\n\nE\n\n\n\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		once, diags := Style(text, "a")
		if diags.HasErrors() {
			return
		}
		twice, diags := Style(once, "a")
		if diags.HasErrors() || !bytes.Equal(once, twice) {
			t.Fatalf("%q became %q and then %q\n%s", text, once, twice, diagnosticsText(diags))
		}
	})
}
