package hclspec

import (
	"bytes"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"

	"pki.internal/spec"
)

// Style gives the canonical form of a file: aligned, with at most one empty
// line in a row and one new line at its end. A file that cannot be parsed has
// none.
func Style(text []byte, name string) ([]byte, spec.Diagnostics) {
	l := &loader{shapes: shapes{}}
	if len(text) > maxFile {
		l.say("File that cannot be read", "%s is larger than %d MiB. Describe repeated blocks once, with for_each.", name, maxFile>>20)
		return nil, l.diags
	}
	if at, bad := notUTF8(text, name); bad {
		l.notUTF8(at)
		return nil, l.diags
	}
	if at, deep := tooDeep(text, name); deep {
		l.tooDeep(at)
		return nil, l.diags
	}
	_, diags := hclsyntax.ParseConfig(text, name, hcl.InitialPos)
	l.reportHCL(diags)
	if l.diags.HasErrors() {
		return nil, l.diags.Sorted()
	}
	styled := squeeze(hclwrite.Format(text), name)
	if len(bytes.TrimSpace(styled)) == 0 {
		return nil, nil
	}
	return append(bytes.TrimRight(bytes.TrimLeft(styled, "\n"), "\n \t"), '\n'), nil
}

// squeeze leaves one of several empty lines, but those inside a heredoc, which
// are text.
func squeeze(text []byte, name string) []byte {
	tokens, _ := hclsyntax.LexConfig(text, name, hcl.InitialPos)
	var inside [][2]int
	for i, t := range tokens {
		if t.Type != hclsyntax.TokenOHeredoc {
			continue
		}
		end := len(text)
		for _, c := range tokens[i:] {
			if c.Type == hclsyntax.TokenCHeredoc {
				end = c.Range.End.Byte
				break
			}
		}
		inside = append(inside, [2]int{t.Range.Start.Byte, end})
	}
	var out []byte
	empty, at := 0, 0
	for line := range bytes.Lines(text) {
		for len(inside) > 0 && inside[0][1] <= at {
			inside = inside[1:]
		}
		heredoc := len(inside) > 0 && at >= inside[0][0]
		at += len(line)
		if blank := len(bytes.TrimSpace(line)) == 0; !blank || heredoc {
			empty = 0
		} else if empty++; empty > 1 {
			continue
		}
		out = append(out, line...)
	}
	return out
}
