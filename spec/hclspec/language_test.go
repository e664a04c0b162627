package hclspec

import (
	"os"
	"strings"
	"testing"
)

// languagePage ends in the reference, which the program writes itself.
const languagePage = "../../docs/language.md"

const languageMark = "<!-- What follows is written by pki schema. -->\n\n"

// TestLanguagePage keeps docs/language.md current: go test -update writes its
// reference anew.
func TestLanguagePage(t *testing.T) {
	text, err := os.ReadFile(languagePage)
	if err != nil {
		t.Fatal(err)
	}
	head, have, found := strings.Cut(string(text), languageMark)
	if !found {
		t.Fatalf("%s has lost the line %q", languagePage, languageMark)
	}
	var want strings.Builder
	if err := Describe().Markdown(&want); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(languagePage, []byte(head+languageMark+want.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if have != want.String() {
		t.Errorf("%s does not say what the language is; go test ./spec/hclspec -update writes it anew", languagePage)
	}
}

// TestEverythingIsDescribed wants a sentence on every block and function, and
// words on every argument, because diagnostics quote them.
func TestEverythingIsDescribed(t *testing.T) {
	language := Describe()
	var walk func(path string, b BlockLanguage)
	walk = func(path string, b BlockLanguage) {
		for _, a := range b.Arguments {
			if strings.TrimSpace(a.Doc) == "" || strings.HasSuffix(a.Doc, ".") {
				t.Errorf("%s.%s: the doc tag %q is empty or ends in a full stop", path, a.Name, a.Doc)
			}
		}
		for _, nested := range b.Blocks {
			walk(path+"."+nested.Type, nested)
		}
	}
	for _, b := range language.Blocks {
		if b.Doc == "" {
			t.Errorf("%s: say in blockDocs what it is", b.Type)
		}
		walk(b.Type, b)
	}
	for _, f := range language.Functions {
		if f.Doc == "" {
			t.Errorf("%s: say what it gives", f.Name)
		}
	}
	if len(language.Blocks) < 11 || len(language.Functions) < 70 {
		t.Errorf("%d blocks, %d functions", len(language.Blocks), len(language.Functions))
	}
}
