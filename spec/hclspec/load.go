// Package hclspec answers one question: where is it written, and which line
// is wrong?
//
// It reads every *.pki.hcl file of one folder, evaluates variables, locals and
// references, and gives a spec.Estate with the place of every block. Values
// and whole blocks are two graphs: a traversal such as authority.root.validity
// must be evaluated first, while issuer = authority.root is only linked
// afterwards, so that the natural circles of a PKI are no errors.
package hclspec

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"reflect"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"

	"pki.internal/spec"
)

// Suffix is how an estate's files end.
const Suffix = ".pki.hcl"

// maxFile bounds one file of an estate. Lexing needs about eighty times the
// size of the source in memory, and no hand-written file comes near this.
const maxFile = 4 << 20

// Loaded is what one folder says.
type Loaded struct {
	Estate  *spec.Estate      // nil when there are errors
	Sources map[string][]byte // the text of every HCL file, for snippets
}

// Load reads the estate in the root of fsys. vars gives values to variables,
// by name, as text. Diagnostics are sorted and hold every mistake found, not
// only the first; the estate is nil when one of them is an error.
func Load(fsys fs.FS, vars map[string]string) (Loaded, spec.Diagnostics) {
	l := &loader{
		fsys:   fsys,
		inputs: map[string]string{},
		blocks: map[spec.Address]*block{},
		locals: map[string]*node{},
		vars:   map[string]*variable{},
	}
	loaded := Loaded{Sources: l.parse()}
	if l.diags.HasErrors() {
		return loaded, l.diags.Sorted()
	}
	l.evaluateVariables(vars)
	l.decodeAll()
	if l.diags.HasErrors() {
		return loaded, l.diags.Sorted()
	}
	estate := l.link()
	l.diags = append(l.diags, estate.Validate()...)
	if !l.diags.HasErrors() {
		estate.Inputs = l.sortedInputs()
		loaded.Estate = estate
	}
	return loaded, l.diags.Sorted()
}

type loader struct {
	fsys    fs.FS
	diags   spec.Diagnostics
	inputs  map[string]string // path → SHA-256
	order   []*block          // every block but locals, as written
	blocks  map[spec.Address]*block
	locals  map[string]*node
	vars    map[string]*variable
	walking []string // nodes being evaluated, for circles
}

// block is one top-level block of the estate.
type block struct {
	address spec.Address
	word    string
	labels  []string
	raw     reflect.Type
	rng     hcl.Range
	content *hcl.BodyContent
	nodes   map[string]*node // arguments and single nested blocks, by name
	decoded reflect.Value    // pointer to the raw struct
}

func (l *loader) parse() map[string][]byte {
	sources := map[string][]byte{}
	names, err := fs.Glob(l.fsys, "*"+Suffix)
	if err != nil || len(names) == 0 {
		l.say("No estate here", "This folder has no file that ends in %s. Go to an estate's folder, name it with -C DIR, or make one with pki init.", Suffix)
		return sources
	}
	slices.Sort(names)
	parser := hclparse.NewParser()
	for _, name := range names {
		text, err := l.read(name)
		if err != nil {
			l.say("File that cannot be read", "%s: %s. Check the file's owner and mode.", name, plainError(err))
			continue
		}
		sources[name] = text
		file, diags := parser.ParseHCL(text, name)
		l.reportHCL(diags)
		if file == nil || diags.HasErrors() {
			continue
		}
		content, diags := file.Body.Content(rootSchema())
		l.reportHCL(diags)
		if content == nil {
			continue
		}
		for _, b := range content.Blocks {
			l.declare(b)
		}
	}
	if !l.diags.HasErrors() && !slices.ContainsFunc(l.order, func(b *block) bool { return b.word == "estate" }) {
		l.say("No estate block", "One file says what the estate is called. Add: estate \"name\" { environment = \"lab\" }.")
	}
	return sources
}

// say reports trouble that belongs to no line.
func (l *loader) say(summary, detail string, args ...any) {
	l.diags = append(l.diags, spec.Diagnostic{Severity: spec.Error, Summary: summary, Detail: fmt.Sprintf(detail, args...)})
}

// read opens a file of the estate and records it as an input. The file system
// it is given must not lead outside the folder.
func (l *loader) read(name string) ([]byte, error) {
	if !fs.ValidPath(name) {
		return nil, fmt.Errorf("%q is not a plain path below the estate's folder", name)
	}
	info, err := fs.Stat(l.fsys, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxFile {
		return nil, fmt.Errorf("not a regular file of at most %d MiB", maxFile>>20)
	}
	text, err := fs.ReadFile(l.fsys, name)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(text)
	l.inputs[name] = hex.EncodeToString(sum[:])
	return text, nil
}

func (l *loader) sortedInputs() []spec.Input {
	inputs := make([]spec.Input, 0, len(l.inputs))
	for name, sum := range l.inputs {
		inputs = append(inputs, spec.Input{Path: path.Clean(name), SHA256: sum})
	}
	slices.SortFunc(inputs, func(a, b spec.Input) int { return strings.Compare(a.Path, b.Path) })
	return inputs
}

// declare notes a block under its address and refuses a second of the name.
func (l *loader) declare(b *hcl.Block) {
	if b.Type == "locals" {
		l.declareLocals(b)
		return
	}
	raw, single := kindOf(b.Type)
	name := b.Type
	if len(b.Labels) > 0 {
		name = b.Labels[len(b.Labels)-1]
	}
	declared := &block{word: b.Type, labels: b.Labels, raw: raw, rng: b.DefRange, nodes: map[string]*node{}}
	if b.Type != "estate" {
		declared.address = spec.Address{Kind: b.Type, Name: name}
	}
	if !spec.ValidName(name) {
		l.report(b.DefRange, declared.address, "Invalid name",
			"%q cannot name a block. Use a letter, then letters, digits, dashes and underscores.", name)
		return
	}
	if first := l.blocks[declared.address]; first != nil {
		what := "A " + b.Type + " block named \"" + name + "\""
		if single {
			what = "The " + b.Type + " block"
		}
		l.report(b.DefRange, declared.address, "Duplicate block",
			"%s was already declared at %s line %d. Rename or remove one of them.", what, first.rng.Filename, first.rng.Start.Line)
		return
	}
	content, diags := b.Body.Content(bodySchema(raw))
	l.reportHCL(diags)
	declared.content = content
	l.blocks[declared.address] = declared
	l.order = append(l.order, declared)
}

func kindOf(word string) (raw reflect.Type, single bool) {
	for _, k := range kinds() {
		if k.word == word {
			return reflect.TypeOf(k.raw), k.single
		}
	}
	return nil, false
}

func (l *loader) declareLocals(b *hcl.Block) {
	attributes, diags := b.Body.JustAttributes()
	l.reportHCL(diags)
	for name, a := range attributes {
		if first := l.locals[name]; first != nil {
			l.report(a.NameRange, spec.Address{Kind: "local", Name: name}, "Duplicate local",
				"local.%s was already declared at %s line %d. Rename or remove one of them.", name, first.expr.Range().Filename, first.expr.Range().Start.Line)
			continue
		}
		l.locals[name] = &node{name: "local." + name, expr: a.Expr}
	}
}
