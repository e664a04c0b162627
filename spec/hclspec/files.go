package hclspec

import (
	"errors"
	"io/fs"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/json"
)

// parsedChunk is what the parser makes of a chunk.
type parsedChunk struct {
	file  *hcl.File
	diags hcl.Diagnostics
}

// parse reads the files of the estate and declares their blocks.
func (l *loader) parse() map[string][]byte {
	sources := map[string][]byte{}
	names, err := fs.Glob(l.fsys, "*"+Suffix)
	inJSON, jsonErr := fs.Glob(l.fsys, "*"+JSONSuffix)
	names = append(names, inJSON...)
	if err != nil || jsonErr != nil || len(names) == 0 {
		l.unreadable = true
		l.say("No estate here", "This folder has no file that ends in %s. Go to an estate's folder, name it with -C DIR, or make one with pki init.", Suffix)
		return sources
	}
	slices.Sort(names)
	var chunks []chunk
	total := 0
	for _, name := range names {
		text, err := l.read(name)
		if err != nil {
			l.unreadable = true
			l.say("File that cannot be read", "%s: %s. %s", name, plainError(err), remedy(err))
			continue
		}
		if total += len(text); total > maxEstate {
			l.unreadable = true
			l.say("Estate out of bounds", "The files up to %s hold more than %d MiB together. Describe repeated blocks once, with for_each.", name, maxEstate>>20)
			break
		}
		sources[name] = text
		if at, bad := notUTF8(text, name); bad {
			l.unreadable = true
			l.notUTF8(at)
			continue
		}
		found, at, deep := cut(text, name)
		if deep {
			l.unreadable = true
			l.tooDeep(at)
		}
		chunks = append(chunks, found...)
	}
	l.declareAll(parseAll(chunks))
	if l.faults == 0 && !slices.ContainsFunc(l.order, func(b *block) bool { return b.word == "estate" }) {
		l.say("No estate block", "One file says what the estate is called. Add: estate \"name\" { environment = \"lab\" }.")
	}
	return sources
}

// remedy says what to do about a file of the estate that cannot be read.
func remedy(err error) string {
	switch {
	case errors.Is(err, errFileTooLarge):
		return "Describe repeated blocks once, with for_each."
	case leadsOut(err):
		return "Put the file itself into the folder."
	}
	return "Check the file's owner and mode."
}

func (l *loader) tooDeep(at hcl.Range) {
	l.report(at, "Expression out of bounds", "More than %d brackets and operators stand inside one another here, or a number has an exponent above %d. Split the expression with locals.", maxNesting, maxExponent)
}

// notUTF8 finds the first byte of a text that is not UTF-8. The lexer passes
// over some of them.
func notUTF8(text []byte, name string) (hcl.Range, bool) {
	if utf8.Valid(text) {
		return hcl.Range{}, false
	}
	at := hcl.InitialPos
	for {
		r, size := utf8.DecodeRune(text[at.Byte:])
		switch {
		case r == utf8.RuneError && size == 1:
			end := at
			end.Column, end.Byte = end.Column+1, end.Byte+1
			return hcl.Range{Filename: name, Start: at, End: end}, true
		case r == '\n':
			at.Line, at.Column = at.Line+1, 0
		}
		at.Column, at.Byte = at.Column+1, at.Byte+size
	}
}

func (l *loader) notUTF8(at hcl.Range) {
	l.report(at, "Invalid character encoding", "This byte is not UTF-8 text. Save the file as UTF-8.")
}

// cut gives the chunks of a file in either syntax.
func cut(text []byte, name string) ([]chunk, hcl.Range, bool) {
	if !strings.HasSuffix(name, JSONSuffix) {
		return scan(text, name)
	}
	if at, deep := jsonTooDeep(text, name); deep {
		return nil, at, true
	}
	return []chunk{{name, text, hcl.InitialPos}}, hcl.Range{}, false
}

// parse reads a chunk.
func (c chunk) parse() parsedChunk {
	if !strings.HasSuffix(c.file, JSONSuffix) {
		file, diags := hclsyntax.ParseConfig(c.text, c.file, c.start)
		return parsedChunk{file, diags}
	}
	file, diags := json.Parse(c.text, c.file)
	return parsedChunk{file, diags}
}

// parseAll parses every chunk, on all processors, and keeps their order.
func parseAll(chunks []chunk) []parsedChunk {
	results := make([]parsedChunk, len(chunks))
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(chunks)) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(chunks); i = int(next.Add(1)) - 1 {
				results[i] = chunks[i].parse()
			}
		})
	}
	workers.Wait()
	return results
}

func (l *loader) declareAll(files []parsedChunk) {
	root := rootSchema()
	for _, p := range files {
		l.reportHCL(withoutEchoes(p.diags))
		if p.file == nil || p.diags.HasErrors() {
			l.unreadable = true
			continue
		}
		content, diags := p.file.Body.Content(root)
		l.reportBody(diags, root)
		l.headless = l.headless || diags.HasErrors()
		for _, b := range content.Blocks {
			l.declare(b)
		}
	}
}
