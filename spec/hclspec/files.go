package hclspec

import (
	"io/fs"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
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
	if err != nil || len(names) == 0 {
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
			l.say("File that cannot be read", "%s: %s. Check the file's owner and mode.", name, plainError(err))
			continue
		}
		if total += len(text); total > maxEstate {
			l.unreadable = true
			l.say("Estate out of bounds", "The files up to %s hold more than %d MiB together. Describe repeated blocks once, with for_each.", name, maxEstate>>20)
			break
		}
		sources[name] = text
		found, at, deep := scan(text, name)
		if deep {
			l.unreadable = true
			l.report(at, "Expression out of bounds", "More than %d brackets and operators stand inside one another here, or a number has an exponent above %d. Split the expression with locals.", maxNesting, maxExponent)
		}
		chunks = append(chunks, found...)
	}
	l.declareAll(parseAll(chunks))
	if l.faults == 0 && !slices.ContainsFunc(l.order, func(b *block) bool { return b.word == "estate" }) {
		l.say("No estate block", "One file says what the estate is called. Add: estate \"name\" { environment = \"lab\" }.")
	}
	return sources
}

// parseAll parses every chunk, on all processors, and keeps their order.
func parseAll(chunks []chunk) []parsedChunk {
	results := make([]parsedChunk, len(chunks))
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(chunks)) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(chunks); i = int(next.Add(1)) - 1 {
				c := chunks[i]
				results[i].file, results[i].diags = hclsyntax.ParseConfig(c.text, c.file, c.start)
			}
		})
	}
	workers.Wait()
	return results
}

func (l *loader) declareAll(files []parsedChunk) {
	root := rootSchema()
	for _, p := range files {
		l.reportHCL(p.diags)
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
