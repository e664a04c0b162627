package hclspec

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// outline lists every block and argument of a body with its place.
func outline(b *strings.Builder, body *hclsyntax.Body) {
	for _, name := range keys(body.Attributes) {
		a := body.Attributes[name]
		fmt.Fprintf(b, "%s %#v %#v\n", name, a.NameRange, a.Expr.Range())
	}
	for _, block := range body.Blocks {
		fmt.Fprintf(b, "%s %q %#v\n", block.Type, block.Labels, block.DefRange())
		outline(b, block.Body)
	}
}

// TestChunksAreTheFile parses a long file in pieces and whole: every block
// and argument must come out at the same place.
func TestChunksAreTheFile(t *testing.T) {
	text := fleet(3000, 1)["fleet-000.pki.hcl"].Data
	text = append([]byte("\ufeff# Größe, and a mark of the byte order\n"), text...)
	text = append(text, "locals {\n  a = \"${local.b}/x\" # ${ \n  b = [\n    1,\n  ]\n}\n"...)
	chunks, _, deep := scan(text, "f")
	if deep || len(chunks) < 5 {
		t.Fatalf("%d chunks, too deep: %v", len(chunks), deep)
	}
	var pieces, whole strings.Builder
	var joined []byte
	for _, p := range parseAll(chunks) {
		if p.diags.HasErrors() {
			t.Fatal(p.diags)
		}
		outline(&pieces, p.file.Body.(*hclsyntax.Body))
	}
	for _, c := range chunks {
		joined = append(joined, c.text...)
	}
	file, diags := hclsyntax.ParseConfig(text, "f", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	outline(&whole, file.Body.(*hclsyntax.Body))
	if !bytes.Equal(joined, text) || pieces.String() != whole.String() {
		t.Error("the chunks are not the file")
	}
}

// TestNoChunkInsideAnything keeps cuts out of whatever goes on over lines.
func TestNoChunkInsideAnything(t *testing.T) {
	filler := strings.Repeat("# }\n", chunkSize/4+1)
	for name, before := range map[string]string{
		"block": "locals {\n", "list": "locals {\n  a = [\n", "heredoc": "locals {\n  a = <<E\n}\n", "comment": "/* }\n",
		"template": "locals {\n  a = \"${\n", "call": "locals {\n  a = f(\n", "object": "locals {\n  a = {\n", "string": "locals {\n  a = \"x\n}\n",
	} {
		if chunks, _, _ := scan([]byte(before+filler), "f"); len(chunks) != 1 {
			t.Errorf("%s: cut into %d", name, len(chunks))
		}
	}
}

// FuzzScan holds the quick count of brackets against the exact one.
func FuzzScan(f *testing.F) {
	names, err := filepath.Glob("testdata/errors/*/main.pki.hcl")
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
	f.Add([]byte("a = {\n for x in [\"${y}\", \"\\\"\"] : x => <<E\n${1}\nE\n}\n"))
	// A number behind a letter of several bytes.
	f.Add([]byte("a = €0e700\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if !utf8.Valid(text) {
			t.Skip("not UTF-8, which is refused before")
		}
		_, _, quick := scan(text, "f")
		if _, exact := tooDeep(text, "f"); exact != quick {
			t.Fatalf("exact %v, quick %v", exact, quick)
		}
		before := strings.Repeat("(", maxNesting-20)
		_, _, quick = scan(append([]byte("a = "+before), text...), "f")
		if _, exact := tooDeep(append([]byte("a = "+before), text...), "f"); exact != quick {
			t.Fatalf("deep down: exact %v, quick %v", exact, quick)
		}
	})
}
