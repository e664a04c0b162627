package hclspec

import (
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"pki.internal/spec"
)

// Language describes the estate's language: what can be written, as the
// loader reads it. It is made of the same structs, so it is never out of date.
type Language struct {
	FormatVersion string             `json:"format_version"`
	Blocks        []BlockLanguage    `json:"blocks"`
	References    []string           `json:"references"` // the words that begin a reference
	Functions     []FunctionLanguage `json:"functions"`
}

// BlockLanguage is one type of block.
type BlockLanguage struct {
	Type      string             `json:"type"`
	Labels    []string           `json:"labels,omitempty"`   // what the quoted words of the header are
	Doc       string             `json:"doc,omitempty"`      // a sentence
	Repeats   bool               `json:"repeats,omitempty"`  // it may stand more than once
	ForEach   bool               `json:"for_each,omitempty"` // it takes for_each
	Arguments []ArgumentLanguage `json:"arguments,omitempty"`
	Blocks    []BlockLanguage    `json:"blocks,omitempty"`
}

// ArgumentLanguage is one argument of a block.
type ArgumentLanguage struct {
	Name      string `json:"name"`
	Type      string `json:"type"`
	Required  bool   `json:"required,omitempty"`
	Reference string `json:"reference,omitempty"` // the type of block that it refers to
	Doc       string `json:"doc"`
}

// FunctionLanguage is one function of expressions.
type FunctionLanguage struct {
	Name       string              `json:"name"`
	Parameters []ParameterLanguage `json:"parameters,omitempty"`
	Variadic   *ParameterLanguage  `json:"variadic,omitempty"` // may follow any number of times
	Doc        string              `json:"doc"`
}

// ParameterLanguage is one parameter of a function.
type ParameterLanguage struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// languageFormat is the version of the JSON that describes the language.
const languageFormat = "1.0"

// Describe gives the whole language.
func Describe() Language {
	l := &loader{}
	described := Language{FormatVersion: languageFormat, References: referenceRoots()}
	for _, k := range kinds() {
		b := describeBlock(k.word, reflect.TypeOf(k.raw))
		b.Doc, b.Repeats, b.ForEach = blockDocs()[k.word], !k.single, repeats(k.word)
		described.Blocks = append(described.Blocks, b)
	}
	described.Blocks = append(described.Blocks, BlockLanguage{Type: "locals", Repeats: true, Doc: "Names for values: each argument NAME = VALUE is local.NAME elsewhere."})
	for _, name := range l.functionNames() {
		described.Functions = append(described.Functions, describeFunction(name, l.functions()[name]))
	}
	return described
}

// blockDocs says in a sentence what each block is.
func blockDocs() map[string]string {
	return map[string]string{
		"estate":            "The folder's PKI as a whole: its name, how much ceremony it deserves, and the subject that every authority inherits.",
		"ceremony":          "The room of a ceremony: readers, witnesses and media that it needs, and what is to be done afterwards.",
		"officer":           "A person with a role in ceremonies, and the public key that person signs with.",
		"variable":          "A value that is given from outside with --var, and never a secret.",
		"secret":            "Something only people or a file know: a PIN or a password. It has no value in an estate, and none can be computed from it.",
		"custodians":        "The people who hold the shares of a secret, and how many of them it takes.",
		"key_store":         "Where private keys live: a token of an HSM (pkcs11), or a folder of encrypted files (file).",
		"authority":         "A CA: a root, which has no issuer, or one below it.",
		"cross_certificate": "A second certificate for the key and name of an authority, by another issuer.",
		"ocsp_responder":    "Somebody who answers questions about an authority's certificates (OCSP) with a key of its own, certified in a ceremony.",
		"ssh_authority":     "A key that signs SSH certificates for hosts or for users.",
		"template":          "A template by which step-ca fills certificates.",
		"provisioner":       "One way to ask an online CA for certificates.",
		"online_ca":         "One step-ca, for which configuration is rendered.",
		"revocation":        "A certificate that no longer counts, for its issuer's next CRL.",
		"moved":             "An authority that has another name now; its key and certificates stay.",
		"removed":           "An authority that the estate no longer describes; its key and certificates stay.",
		"lint":              "Which rules certificates and CRLs are held against, and which findings are accepted.",
	}
}

func describeBlock(word string, t reflect.Type) BlockLanguage {
	b := BlockLanguage{Type: word, Labels: labelNames(t)}
	for _, f := range fieldsOf(t) {
		switch f.role {
		case "label":
		case "block":
			nested := describeBlock(f.name, f.blockType())
			nested.Doc, nested.Repeats = f.doc, f.repeated
			b.Blocks = append(b.Blocks, nested)
		default:
			b.Arguments = append(b.Arguments, ArgumentLanguage{
				Name: f.name, Type: f.typeWords(), Required: f.role != "optional", Reference: f.refKind, Doc: f.doc,
			})
		}
	}
	return b
}

// typeWords names the type of an argument as people write it.
func (f field) typeWords() string {
	t := f.goType
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == reflect.TypeFor[ref]():
		return "reference"
	case t == reflect.TypeFor[[]ref]():
		return "list of references"
	case t == reflect.TypeFor[spec.Duration]():
		return "duration"
	case t == reflect.TypeFor[spec.Span]():
		return "span"
	case t == reflect.TypeFor[hcl.Expression]():
		return "expression"
	case t == reflect.TypeFor[cty.Value]():
		return "any"
	case t.Kind() == reflect.String:
		return "string"
	case t.Kind() == reflect.Bool:
		return "bool"
	case t.Kind() == reflect.Int:
		return "number"
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.String:
		return "list of strings"
	case t.Kind() == reflect.Slice:
		return "list"
	}
	return "object"
}

func describeFunction(name string, f function.Function) FunctionLanguage {
	d := FunctionLanguage{Name: name, Doc: functionDoc(name, f)}
	for _, p := range f.Params() {
		d.Parameters = append(d.Parameters, describeParameter(p))
	}
	if p := f.VarParam(); p != nil {
		more := describeParameter(*p)
		d.Variadic = &more
	}
	return d
}

func describeParameter(p function.Parameter) ParameterLanguage {
	t := strings.ReplaceAll(p.Type.FriendlyNameForConstraint(), "any single type", "any")
	if p.Type == cty.DynamicPseudoType {
		t = "any"
	}
	return ParameterLanguage{Name: p.Name, Type: t}
}

// functionDoc says what a function gives, where the library does not.
func functionDoc(name string, f function.Function) string {
	switch name {
	case "can":
		return "Whether an expression has a value, and no error."
	case "try":
		return "The first of several expressions that has a value, and no error."
	case "tobool", "tolist", "tomap", "tonumber", "toset", "tostring":
		return "A value as a " + strings.TrimPrefix(name, "to") + ", where it can be one."
	}
	return f.Description()
}

// Markdown writes the reference part of docs/language.md.
func (l Language) Markdown(w io.Writer) error {
	var b strings.Builder
	b.WriteString("## Blocks\n")
	for _, block := range l.Blocks {
		block.markdown(&b, "###", "")
	}
	b.WriteString("\n## Functions\n\n| function | what it gives |\n|---|---|\n")
	for _, f := range l.Functions {
		fmt.Fprintf(&b, "| `%s` | %s |\n", f.signature(), cell(f.Doc))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (f FunctionLanguage) signature() string {
	var words []string
	for _, p := range f.Parameters {
		words = append(words, p.Name)
	}
	if f.Variadic != nil {
		words = append(words, f.Variadic.Name+"…")
	}
	return f.Name + "(" + strings.Join(words, ", ") + ")"
}

// markdown writes one block, and then those inside it.
func (b BlockLanguage) markdown(w *strings.Builder, level, inside string) {
	header := b.Type
	for _, label := range b.Labels {
		header += fmt.Sprintf(" %q", strings.ToUpper(label))
	}
	title := header
	if inside != "" {
		title = inside + " › " + b.Type
	}
	fmt.Fprintf(w, "\n%s `%s`\n", level, title)
	var notes []string
	if b.Doc != "" {
		notes = append(notes, sentence(b.Doc))
	}
	switch {
	case inside != "" && b.Repeats:
		notes = append(notes, "It may stand several times.")
	case inside == "" && !b.Repeats:
		notes = append(notes, "One in an estate.")
	case b.ForEach:
		notes = append(notes, "It takes `for_each`.")
	}
	if len(notes) > 0 {
		fmt.Fprintf(w, "\n%s\n", strings.Join(notes, " "))
	}
	if len(b.Arguments) > 0 {
		w.WriteString("\n| argument | type | |\n|---|---|---|\n")
		for _, a := range b.Arguments {
			name, kind := "`"+a.Name+"`", a.Type
			if a.Required {
				name += ", required"
			}
			if a.Reference != "" {
				kind += " to `" + a.Reference + "`"
			}
			fmt.Fprintf(w, "| %s | %s | %s |\n", name, kind, cell(a.Doc))
		}
	}
	for _, nested := range b.Blocks {
		path := b.Type
		if inside != "" {
			path = inside + " › " + b.Type
		}
		nested.markdown(w, level+"#", path)
	}
}

// sentence begins with a capital and ends with a full stop.
func sentence(s string) string {
	s = strings.ToUpper(s[:1]) + s[1:]
	if !strings.HasSuffix(s, ".") {
		s += "."
	}
	return s
}

// cell keeps a text inside its cell of a table.
func cell(s string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(s), " "), "|", `\|`)
}

// Block gives the block of a type, or words that are near.
func (l Language) Block(word string) (BlockLanguage, error) {
	var words []string
	for _, b := range l.Blocks {
		if b.Type == word {
			return b, nil
		}
		words = append(words, b.Type)
	}
	return BlockLanguage{}, fmt.Errorf("there is no block of type %q.%s", word, suggest(word, words, "The types are "+strings.Join(words, ", ")+"."))
}
