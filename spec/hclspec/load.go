// Package hclspec answers one question: where is it written, and which line
// is wrong?
//
// It reads every *.pki.hcl and *.pki.hcl.json file of one folder, evaluates variables, locals and
// references, and gives a spec.Estate with the place of every block. Values
// and whole blocks are two graphs: a traversal such as authority.root.validity
// must be evaluated first, while issuer = authority.root is only linked
// afterwards, so that the natural circles of a PKI are no errors.
package hclspec

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty/function"

	"pki.internal/spec"
)

// Suffix is how an estate's files end, and JSONSuffix how those end that
// programs write: the same blocks in HCL's JSON syntax.
const (
	Suffix     = ".pki.hcl"
	JSONSuffix = ".pki.hcl.json"
)

// Limits of what is read. Ten thousand authorities take about 5 MiB; a parsed
// file takes about fifty times its size in memory.
const (
	maxFile   = 16 << 20 // one file
	maxEstate = 32 << 20 // every file that describes the estate together
)

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
		shapes: shapes{},
	}
	loaded := Loaded{Sources: l.parse()}
	if l.unreadable {
		return loaded, l.diags.Sorted()
	}
	l.evaluateVariables(vars)
	l.decodeAll()
	estate := l.link()
	if b := l.blocks[spec.Address{}]; b != nil && !b.faulty {
		l.diags = append(l.diags, estate.Validate()...)
	}
	if l.faults > 0 && !l.diags.HasErrors() { // never an estate without the blocks that are wrong
		l.say("Estate that cannot be read", "Something in it is wrong, and this program does not know what. Please report it as a mistake of the program.")
	}
	if !l.diags.HasErrors() {
		estate.Inputs = l.sortedInputs()
		loaded.Estate = estate
	}
	return loaded, l.diags.Sorted()
}

type loader struct {
	fsys    fs.FS
	diags   spec.Diagnostics
	faults  int               // counts every error, also those that stay silent
	at      spec.Address      // the block that is being read
	inputs  map[string]string // path → SHA-256
	order   []*block          // every block but locals, as written
	blocks  map[spec.Address]*block
	locals  map[string]*node
	vars    map[string]*variable
	walking []*node // being evaluated, for circles
	each    *each   // of the block whose expression is at hand
	shapes  shapes
	calls   map[string]function.Function // made when first needed
	loops   int                          // rounds of for expressions so far

	// unreadable says that a file could not be taken apart, so that whatever
	// refers to it would be blamed for nothing.
	unreadable bool
	// headless says so of a block: its type or its labels are wrong.
	headless bool
}

// block is one top-level block of the estate.
type block struct {
	address  spec.Address
	word     string
	labels   []string
	raw      reflect.Type
	rng      hcl.Range
	content  *hcl.BodyContent
	inner    map[*hcl.Block]*hcl.BodyContent // of nested blocks
	nodes    map[string]*node                // arguments, by name
	misspelt map[string]bool                 // arguments that something else was meant to be
	refs     []spec.Address                  // the blocks it refers to
	faulty   bool                            // it is wrong, or refers to one that is
	decoded  reflect.Value                   // pointer to the raw struct

	forEach   hcl.Expression // nil for a block that stands for itself
	instances []*block       // of a block with for_each, by key
	expanded  nodeState      // of instances
	each      *each          // of an instance
}

// say reports trouble that belongs to no line.
func (l *loader) say(summary, detail string, args ...any) {
	l.faults++
	l.diags = append(l.diags, spec.Diagnostic{Severity: spec.Error, Summary: summary, Detail: fmt.Sprintf(detail, args...)})
}

var errFileTooLarge = fmt.Errorf("larger than %d MiB, and nothing that an estate needs is", maxFile>>20)

// read opens a file of the estate and records it as an input. The file system
// it is given must not lead outside the folder.
func (l *loader) read(name string) ([]byte, error) {
	if !fs.ValidPath(name) {
		return nil, errors.New("not a plain path below the estate's folder")
	}
	info, err := fs.Stat(l.fsys, name)
	if err != nil {
		return nil, err
	}
	switch {
	case !info.Mode().IsRegular():
		return nil, errors.New("not a regular file")
	case info.Size() > maxFile:
		return nil, errFileTooLarge
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
	} else if !single { // a block without a name, of which there may be several
		name = fmt.Sprintf("%s_%d", b.Type, len(l.order)+1)
	}
	declared := &block{
		word: b.Type, labels: b.Labels, raw: raw, rng: b.DefRange,
		inner: map[*hcl.Block]*hcl.BodyContent{}, nodes: map[string]*node{}, misspelt: map[string]bool{},
	}
	if b.Type != "estate" {
		declared.address = spec.Address{Kind: b.Type, Name: name}
	}
	l.at = declared.address
	defer func() { l.at = spec.Address{} }()
	if !spec.ValidName(name) {
		l.at = spec.Address{}
		l.headless = true
		l.report(b.DefRange, "Invalid name", "%q cannot name a block. Use a letter, then letters, digits, dashes and underscores, 64 at most.", name)
		return
	}
	if first := l.blocks[declared.address]; first != nil {
		what := header(b.Type, name)
		if single {
			what = "The " + b.Type + " block"
		}
		l.report(b.DefRange, "Duplicate block",
			"%s was already declared at %s line %d. Rename or remove one of them.", what, first.rng.Filename, first.rng.Start.Line)
		return
	}
	schema := l.shapes.of(raw).schema
	if repeats(b.Type) {
		schema = l.shapes.of(raw).repeated
	}
	content, diags := b.Body.Content(schema)
	l.reportBody(diags, schema)
	l.native(content, l.shapes.of(raw))
	if a := content.Attributes[forEachWord]; a != nil {
		declared.forEach = a.Expr
		delete(content.Attributes, forEachWord)
	}
	declared.content, declared.faulty = content, diags.HasErrors()
	declared.noteMisspelt(diags)
	l.blocks[declared.address] = declared
	l.order = append(l.order, declared)
}

var didYouMean = regexp.MustCompile(`Did you mean "([^"]+)"\?$`)

// noteMisspelt remembers which arguments were meant, so that they are not
// called missing as well.
func (b *block) noteMisspelt(diags hcl.Diagnostics) {
	for _, one := range diags {
		if meant := didYouMean.FindStringSubmatch(one.Detail); meant != nil {
			b.misspelt[meant[1]] = true
		}
	}
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
	for _, name := range keys(attributes) {
		a := attributes[name]
		a.Expr = l.nativeExpression(a.Expr, false)
		if first := l.locals[name]; first != nil {
			at := first.expr.Range()
			l.report(a.NameRange, "Duplicate local", "local.%s was already declared at %s line %d. Rename or remove one of them.", name, at.Filename, at.Start.Line)
			continue
		}
		l.locals[name] = &node{word: "local." + name, expr: a.Expr}
	}
}
