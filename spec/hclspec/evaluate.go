package hclspec

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"pki.internal/spec"
)

// node is one value that expressions can refer to: a local, or an argument or
// nested block of a block. It is evaluated when first needed.
type node struct {
	name    string // as people write it
	expr    hcl.Expression
	nested  *hcl.Block   // instead of expr
	raw     reflect.Type // of nested
	visited bool
	value   cty.Value
	ok      bool // false silences whatever depends on it
}

// variable is a declared variable and its value.
type variable struct {
	value cty.Value
	ok    bool
}

// value evaluates a node once. A node that leads back to itself is reported
// with the whole circle.
func (l *loader) value(n *node) (cty.Value, bool) {
	if n.visited {
		return n.value, n.ok
	}
	if i := slices.Index(l.walking, n.name); i >= 0 {
		circle := append(slices.Clone(l.walking[i:]), n.name)
		l.report(n.place(), spec.Address{}, "Reference cycle",
			"These refer to each other in a circle, so none can come first: %s. Write one of them without a reference.", strings.Join(circle, " -> "))
		n.visited = true
		return cty.DynamicVal, false
	}
	l.walking = append(l.walking, n.name)
	value, ok := l.compute(n)
	l.walking = l.walking[:len(l.walking)-1]
	if !n.visited { // a circle through n has already decided
		n.visited, n.value, n.ok = true, value, ok
	}
	return n.value, n.ok
}

func (n *node) place() hcl.Range {
	if n.nested != nil {
		return n.nested.DefRange
	}
	return n.expr.Range()
}

func (l *loader) compute(n *node) (cty.Value, bool) {
	if n.nested == nil {
		return l.evaluate(n.expr)
	}
	content, diags := n.nested.Body.Content(bodySchema(n.raw))
	if diags.HasErrors() {
		return cty.DynamicVal, false // decoding reports it
	}
	members, whole := map[string]cty.Value{}, true
	for _, f := range fieldsOf(n.raw) {
		attribute := content.Attributes[f.name]
		if attribute == nil || f.isRef() {
			continue
		}
		v, ok := l.evaluate(attribute.Expr)
		members[f.name], whole = v, whole && ok
	}
	return cty.ObjectVal(members), whole
}

// evaluate gives an expression its value, after everything it refers to.
func (l *loader) evaluate(expr hcl.Expression) (cty.Value, bool) {
	scope := map[string]map[string]cty.Value{}
	attributes := map[spec.Address]map[string]cty.Value{}
	ok := true
	for _, t := range expr.Variables() {
		ok = l.resolve(t, scope, attributes) && ok
	}
	if !ok {
		return cty.DynamicVal, false
	}
	for address, members := range attributes {
		put(scope, address.Kind, address.Name, cty.ObjectVal(members))
	}
	ctx := &hcl.EvalContext{Variables: map[string]cty.Value{}, Functions: l.functions()}
	for root, members := range scope {
		ctx.Variables[root] = cty.ObjectVal(members)
	}
	value, diags := expr.Value(ctx)
	l.reportHCL(diags)
	return value, !diags.HasErrors()
}

func put(scope map[string]map[string]cty.Value, root, name string, v cty.Value) {
	if scope[root] == nil {
		scope[root] = map[string]cty.Value{}
	}
	scope[root][name] = v
}

// resolve checks one traversal before evaluation and puts what it needs into
// the scope.
func (l *loader) resolve(t hcl.Traversal, scope map[string]map[string]cty.Value, attributes map[spec.Address]map[string]cty.Value) bool {
	root := t.RootName()
	name, found := step(t, 1)
	if !found {
		l.report(t.SourceRange(), spec.Address{}, "Incomplete reference", "%q alone names nothing. Write it as %s.NAME.", root, root)
		return false
	}
	switch root {
	case "var":
		v := l.vars[name]
		if v == nil {
			l.report(t.SourceRange(), spec.Address{}, "Reference to an undeclared variable", "No variable %q is declared.%s", name, suggest(name, keys(l.vars)))
			return false
		}
		put(scope, root, name, v.value)
		return v.ok
	case "local":
		n := l.locals[name]
		if n == nil {
			l.report(t.SourceRange(), spec.Address{}, "Reference to an undeclared local", "No local value %q is declared.%s", name, suggest(name, keys(l.locals)))
			return false
		}
		v, ok := l.value(n)
		put(scope, root, name, v)
		return ok
	}
	return l.resolveBlock(t, root, name, attributes)
}

func (l *loader) resolveBlock(t hcl.Traversal, root, name string, attributes map[spec.Address]map[string]cty.Value) bool {
	b := l.lookup(t, root, name)
	if b == nil {
		return false
	}
	argument, found := step(t, 2)
	if !found {
		l.report(t.SourceRange(), spec.Address{}, "Block where a value is needed",
			"%s is a whole block. Name one of its arguments, such as %s.%s.", b.address, b.address, firstArgument(b.raw))
		return false
	}
	f, known := fieldNamed(b.raw, argument)
	switch {
	case !known || f.role == "label" || f.repeated:
		l.report(t.SourceRange(), spec.Address{}, "Reference to an unknown argument", "A block of type %q has no %q.%s", root, argument, suggest(argument, argumentNames(b.raw)))
		return false
	case f.isRef():
		l.report(t.SourceRange(), spec.Address{}, "Reference through a reference",
			"%s.%s refers to another block. Refer to that block directly.", b.address, argument)
		return false
	}
	n := b.node(f)
	if n == nil {
		l.report(t.SourceRange(), spec.Address{}, "Reference to an argument that is not set", "%s does not set %q. Set it there, or write the value here.", b.address, argument)
		return false
	}
	v, ok := l.value(n)
	if attributes[b.address] == nil {
		attributes[b.address] = map[string]cty.Value{}
	}
	attributes[b.address][argument] = v
	return ok
}

// lookup finds the block that a traversal begins with, or says what is wrong.
func (l *loader) lookup(t hcl.Traversal, root, name string) *block {
	if raw, single := kindOf(root); raw == nil || single || root == "variable" {
		l.report(t.SourceRange(), spec.Address{}, "Unknown reference", "%q begins no reference.%s", root, suggest(root, referenceRoots()))
		return nil
	}
	b := l.blocks[spec.Address{Kind: root, Name: name}]
	if b == nil {
		var names []string
		for address := range l.blocks {
			if address.Kind == root {
				names = append(names, address.Name)
			}
		}
		slices.Sort(names)
		l.report(t.SourceRange(), spec.Address{}, "Reference to an undeclared block", "No %s %q is declared.%s", root, name, suggest(name, names))
	}
	return b
}

// node gives the node of an argument or single nested block, nil when it was
// not written.
func (b *block) node(f field) *node {
	if n := b.nodes[f.name]; n != nil {
		return n
	}
	n := &node{name: b.address.String() + "." + f.name}
	if f.role == "block" {
		i := slices.IndexFunc(b.content.Blocks, func(nested *hcl.Block) bool { return nested.Type == f.name })
		if i < 0 {
			return nil
		}
		n.nested, n.raw = b.content.Blocks[i], f.blockType()
	} else {
		attribute := b.content.Attributes[f.name]
		if attribute == nil {
			return nil
		}
		n.expr = attribute.Expr
	}
	b.nodes[f.name] = n
	return n
}

func referenceRoots() []string {
	roots := []string{"var", "local"}
	for _, k := range kinds() {
		if !k.single && k.word != "variable" {
			roots = append(roots, k.word)
		}
	}
	return roots
}

func fieldNamed(t reflect.Type, name string) (field, bool) {
	for _, f := range fieldsOf(t) {
		if f.name == name {
			return f, true
		}
	}
	return field{}, false
}

func argumentNames(t reflect.Type) []string {
	var names []string
	for _, f := range fieldsOf(t) {
		if f.role != "label" && !f.isRef() {
			names = append(names, f.name)
		}
	}
	return names
}

func firstArgument(t reflect.Type) string {
	if names := argumentNames(t); len(names) > 0 {
		return names[0]
	}
	return "name"
}

func keys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// step gives the attribute name at a place of a traversal; a string index
// counts as one.
func step(t hcl.Traversal, i int) (string, bool) {
	if i >= len(t) {
		return "", false
	}
	switch s := t[i].(type) {
	case hcl.TraverseAttr:
		return s.Name, true
	case hcl.TraverseIndex:
		if s.Key.Type() == cty.String {
			return s.Key.AsString(), true
		}
	}
	return "", false
}

// evaluateVariables gives every declared variable its value from given, or
// its default, and holds it against its validations.
func (l *loader) evaluateVariables(given map[string]string) {
	for _, b := range l.order {
		if b.word == "variable" {
			l.vars[b.address.Name] = &variable{value: cty.DynamicVal}
		}
	}
	for _, name := range keys(given) {
		if l.vars[name] == nil {
			l.say("Value for an undeclared variable", "--var %s: no variable %q is declared.%s", name, name, suggest(name, keys(l.vars)))
		}
	}
	for _, b := range l.order {
		if b.word != "variable" {
			continue
		}
		text, isGiven := given[b.address.Name]
		l.evaluateVariable(b, text, isGiven)
	}
}

func (l *loader) evaluateVariable(b *block, text string, given bool) {
	raw, ok := decodeBlock[rawVariable](l, b)
	if !ok {
		return
	}
	want := cty.DynamicPseudoType
	if raw.Type != nil {
		t, diags := typeexpr.TypeConstraint(raw.Type)
		l.reportHCL(diags)
		if diags.HasErrors() {
			return
		}
		want = t
	}
	value := raw.Default
	switch {
	case given:
		value = l.variableText(b, text, want)
	case value == cty.NilVal:
		l.report(b.rng, b.address, "Variable without a value", "Give it with --var %s=…, or write a default.", b.address.Name)
		return
	}
	converted, err := convert.Convert(value, want)
	if err != nil {
		l.report(b.rng, b.address, "Invalid value for a variable", "The value of var.%s does not fit its type: %s.", b.address.Name, err)
		return
	}
	v := l.vars[b.address.Name]
	v.value, v.ok = converted, true
	for _, validation := range raw.Validation {
		v.ok = l.checkVariable(b, validation, converted) && v.ok
	}
}

// variableText reads a value from the command line: a plain string where a
// string is wanted, an HCL expression otherwise.
func (l *loader) variableText(b *block, text string, want cty.Type) cty.Value {
	if want == cty.String || want == cty.DynamicPseudoType || want.IsPrimitiveType() {
		return cty.StringVal(text)
	}
	expr, diags := parseExpression(text)
	if !diags.HasErrors() {
		if v, more := expr.Value(nil); !more.HasErrors() {
			return v
		}
	}
	l.report(b.rng, b.address, "Invalid value for a variable", "--var %s=%s is not a value. Write it as in HCL, such as [\"a\", \"b\"].", b.address.Name, text)
	return cty.NullVal(want)
}

func (l *loader) checkVariable(b *block, check rawValidation, value cty.Value) bool {
	ctx := &hcl.EvalContext{
		Variables: map[string]cty.Value{"var": cty.ObjectVal(map[string]cty.Value{b.address.Name: value})},
		Functions: l.functions(),
	}
	passes, diags := check.Condition.Value(ctx)
	message, more := check.ErrorMessage.Value(ctx)
	l.reportHCL(append(diags, more...))
	if diags.HasErrors() || more.HasErrors() {
		return false
	}
	passes, err := convert.Convert(passes, cty.Bool)
	if err != nil || passes.IsNull() || !passes.IsKnown() || message.Type() != cty.String || message.IsNull() {
		l.report(check.Condition.Range(), b.address, "Validation that cannot decide", "The condition must be true or false and error_message a string.")
		return false
	}
	if passes.False() {
		l.report(b.rng, b.address, "Invalid value for a variable", "%s", message.AsString())
	}
	return passes.True()
}
