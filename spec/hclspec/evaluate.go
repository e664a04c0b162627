package hclspec

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"pki.internal/spec"
)

// node is one value that expressions can refer to: a local, or an argument of
// a block or of a block nested in it. It is evaluated when first needed. Every
// argument has a node of its own, so that a block may name itself: the
// subject of a root can stand in another part of its subject.
type node struct {
	word    string       // local.NAME, or the argument's path below its block
	address spec.Address // of the block it stands in
	expr    hcl.Expression
	each    *each // of the block it stands in
	state   nodeState
	value   cty.Value
	ok      bool // false silences whatever depends on it
}

// name is how people write the node.
func (n *node) name() string {
	if n.address == (spec.Address{}) && strings.HasPrefix(n.word, "local.") {
		return n.word
	}
	return n.address.String() + "." + n.word
}

type nodeState int

const (
	waiting nodeState = iota
	walking
	done
)

// variable is a declared variable and its value.
type variable struct {
	value cty.Value
	ok    bool
}

// evaluateNode evaluates a node once. A node that leads back to itself is
// reported with the whole circle.
func (l *loader) evaluateNode(n *node) (cty.Value, bool) {
	outer, outerEach := l.at, l.each
	defer func() { l.at, l.each = outer, outerEach }()
	l.at, l.each = n.address, n.each
	switch n.state {
	case done:
		return n.value, n.ok
	case walking:
		l.reportCircle(n)
		return cty.DynamicVal, false
	}
	if len(l.walking) >= maxChain {
		l.report(n.expr.Range(), "Reference chain too long", "More than %d values refer to one another in a row here. Write one of them without a reference.", maxChain)
		return cty.DynamicVal, false
	}
	n.state = walking
	l.walking = append(l.walking, n)
	value, ok := l.evaluate(n.expr)
	l.walking = l.walking[:len(l.walking)-1]
	if n.state == walking { // a circle through n has already decided
		n.state, n.value, n.ok = done, value, ok
	}
	return n.value, n.ok
}

func (l *loader) reportCircle(n *node) {
	var names []string
	for _, w := range l.walking[slices.Index(l.walking, n):] {
		names = append(names, w.name())
	}
	names = append(names, n.name())
	l.report(n.expr.Range(), "Reference cycle",
		"These refer to each other in a circle, so none can come first: %s. Write one of them without a reference.", strings.Join(names, " -> "))
	n.state, n.value = done, cty.DynamicVal
}

// scope is what the expression at hand may see: values by name, any depth.
type scope map[string]any // cty.Value or scope

// put sets the value at the end of a path of names.
func (s scope) put(v cty.Value, path ...string) {
	for _, name := range path[:len(path)-1] {
		inner, ok := s[name].(scope)
		if !ok {
			inner = scope{}
			s[name] = inner
		}
		s = inner
	}
	s[path[len(path)-1]] = v
}

func (s scope) object() map[string]cty.Value {
	members := map[string]cty.Value{}
	for name, member := range s {
		switch m := member.(type) {
		case scope:
			members[name] = cty.ObjectVal(m.object())
		case cty.Value:
			members[name] = m
		}
	}
	return members
}

// evaluate gives an expression its value, after everything it refers to.
func (l *loader) evaluate(expr hcl.Expression) (cty.Value, bool) {
	if value, constant := literal(expr); constant {
		return value, true
	}
	seen, ok := scope{}, true
	keyed := keyedGroups(expr)
	for _, t := range expr.Variables() {
		ok = l.resolve(t, keyed, seen) && ok
	}
	if !ok {
		return cty.DynamicVal, false
	}
	return l.value(expr, seen.object())
}

// value evaluates an expression whose references are known. Numbers are kept
// within bounds at every step, and so is the result.
func (l *loader) value(expr hcl.Expression, variables map[string]cty.Value) (cty.Value, bool) {
	l.guard(expr)
	value, diags := expr.Value(&hcl.EvalContext{Variables: variables, Functions: l.functions()})
	l.reportHCL(diags)
	switch {
	case diags.HasErrors():
		return cty.DynamicVal, false
	case !value.IsWhollyKnown() || tooLarge(value):
		l.report(expr.Range(), "Value out of bounds",
			"The value is longer than %d MiB, has more than %d members, or holds a number that is infinite or has more digits than an estate can need. Write a smaller one.", maxText>>20, maxMembers)
		return cty.DynamicVal, false
	}
	return value, true
}

// literal gives the value of an expression that is written out: text, a
// number, true, false, null, or a list of them. Most arguments are.
func literal(expr hcl.Expression) (cty.Value, bool) {
	switch e := expr.(type) {
	case *hclsyntax.LiteralValueExpr:
		return e.Val, true
	case *hclsyntax.TemplateExpr:
		if len(e.Parts) == 1 {
			if part, ok := e.Parts[0].(*hclsyntax.LiteralValueExpr); ok && part.Val.Type() == cty.String {
				return part.Val, true
			}
		}
	case *hclsyntax.TupleConsExpr:
		members := make([]cty.Value, 0, len(e.Exprs))
		for _, one := range e.Exprs {
			member, ok := literal(one)
			if !ok {
				return cty.NilVal, false
			}
			members = append(members, member)
		}
		return cty.TupleVal(members), len(members) <= maxMembers
	}
	return cty.NilVal, false
}

// resolve checks one traversal before evaluation and puts what it needs into
// the scope.
func (l *loader) resolve(t hcl.Traversal, keyed map[hcl.Pos]keyedGroup, seen scope) bool {
	root := t.RootName()
	name, found := step(t, 1)
	if !found && slices.Contains(referenceRoots(), root) {
		l.report(t.SourceRange(), "Incomplete reference", "%q alone names nothing. Write it as %s.NAME.", root, root)
		return false
	}
	switch root {
	case "secret":
		l.report(t.SourceRange(), "Secret where a value is needed",
			"A secret never reaches a certificate, a plan or a log, so nothing can be computed from %s. Refer to the whole block, in an argument that takes a secret.", t.RootName()+"."+name)
		return false
	case "each":
		return l.resolveEach(t, name, seen)
	case "var":
		v := l.vars[name]
		if v == nil && l.headless { // as with blocks, below
			l.faults++
			return false
		}
		if v == nil {
			l.report(t.SourceRange(), "Reference to an undeclared variable", "No variable %q is declared.%s",
				name, suggest(name, keys(l.vars), fmt.Sprintf("Declare it: variable %q { type = string }.", name)))
			return false
		}
		seen.put(v.value, root, name)
		return v.ok
	case "local":
		n := l.locals[name]
		if n == nil && l.headless {
			l.faults++
			return false
		}
		if n == nil {
			l.report(t.SourceRange(), "Reference to an undeclared local", "No local value %q is declared.%s",
				name, suggest(name, keys(l.locals), fmt.Sprintf("Declare it: locals { %s = … }.", name)))
			return false
		}
		v, ok := l.evaluateNode(n)
		seen.put(v, root, name)
		return ok
	}
	if b := l.lookup(t, root, name); b != nil && b.forEach != nil {
		return l.resolveGroup(t, b, keyed, seen)
	} else if b != nil {
		return l.resolveBlock(t, b, seen, 2)
	}
	return false
}

// resolveBlock resolves what follows a block in a traversal, from place at.
func (l *loader) resolveBlock(t hcl.Traversal, b *block, seen scope, at int) bool {
	root := b.word
	argument, found := step(t, at)
	if !found {
		l.report(t.SourceRange(), "Block where a value is needed",
			"%s is a whole block. Name one of its arguments, such as %s.%s.", b.address, b.address, firstArgument(b.raw))
		return false
	}
	f, known := l.shapes.of(b.raw).named(argument)
	if !l.referable(t, b.address.String(), root, argument, f, known, b.raw) {
		return false
	}
	if f.role == "block" {
		return l.resolveNested(t, b, f, seen, at+1)
	}
	return l.resolveNode(t, b.node(f), b.address.String(), seen, b.path(argument)...)
}

// path is where a value of the block stands in the scope.
func (b *block) path(words ...string) []string {
	path := []string{b.address.Kind, b.address.Name}
	if b.address.Key != "" {
		path = append(path, b.address.Key)
	}
	return append(path, words...)
}

// resolveNested resolves one argument of a nested block, or the block as an
// object.
func (l *loader) resolveNested(t hcl.Traversal, b *block, f field, seen scope, at int) bool {
	whose := b.address.String() + "." + f.name
	nested := b.nested(f)
	if nested == nil {
		return l.resolveNode(t, nil, b.address.String(), seen, f.name)
	}
	if argument, found := step(t, at); found {
		g, known := l.shapes.of(f.blockType()).named(argument)
		return l.referable(t, whose, f.name, argument, g, known, f.blockType()) &&
			l.resolveNode(t, l.nestedNode(b, f, nested, g), whose, seen, b.path(f.name, argument)...)
	}
	all := true
	for _, g := range l.shapes.of(f.blockType()).fields {
		if n := l.nestedNode(b, f, nested, g); n != nil && !g.isRef() {
			all = l.resolveNode(t, n, whose, seen, b.path(f.name, g.name)...) && all
		}
	}
	return all
}

// referable refuses what is no argument, or has no value of its own.
func (l *loader) referable(t hcl.Traversal, whose, word, argument string, f field, known bool, raw reflect.Type) bool {
	switch {
	case !known || f.role == "label" || f.repeated:
		l.report(t.SourceRange(), "Reference to an unknown argument", "A block of type %q has no %q.%s",
			word, argument, suggest(argument, argumentNames(raw), "It has "+strings.Join(argumentNames(raw), ", ")+"."))
		return false
	case f.isRef():
		l.report(t.SourceRange(), "Reference through a reference",
			"%s.%s refers to another block. Refer to that block directly.", whose, argument)
		return false
	}
	return true
}

func (l *loader) resolveNode(t hcl.Traversal, n *node, whose string, seen scope, path ...string) bool {
	if n == nil {
		l.report(t.SourceRange(), "Reference to an argument that is not set", "%s does not set %q. Set it there, or write the value here.", whose, path[len(path)-1])
		return false
	}
	v, ok := l.evaluateNode(n)
	seen.put(v, path...)
	return ok
}

// lookup finds the block that a traversal begins with, or says what is wrong.
func (l *loader) lookup(t hcl.Traversal, root, name string) *block {
	if !slices.Contains(referenceRoots(), root) || root == "var" || root == "local" || root == "each" {
		l.report(t.SourceRange(), "Unknown reference", "%q begins no reference.%s", root, unknownRoot(root))
		return nil
	}
	b := l.blocks[spec.Address{Kind: root, Name: name}]
	if b != nil {
		return b
	}
	if l.headless { // the block may be one of those that have no proper header
		l.faults++
		return nil
	}
	var names []string
	for address := range l.blocks {
		if address.Kind == root && address.Key == "" {
			names = append(names, address.Name)
		}
	}
	slices.Sort(names)
	if second, _ := step(t, 2); slices.Contains(names, second) { // after the type, as Terraform has it
		l.report(t.SourceRange(), "Reference with a type", "A %s is referred to by its name, without the type that stands before it. Write %s.%s.", root, root, second)
		return nil
	}
	l.report(t.SourceRange(), "Reference to an undeclared block", "No %s %q is declared.%s",
		root, name, suggest(name, names, fmt.Sprintf("Declare it: %s { … }.", header(root, name))))
	return nil
}

// unknownRoot says what may have been meant by a word that is no reference.
func unknownRoot(root string) string {
	switch root {
	case "path":
		return " Paths count from the estate's folder: write file(\"people/ada.pub\")."
	case "count":
		return " Write for_each, and each.key."
	case "data", "module":
		return " " + terraformHabits()["data"]
	}
	if near := suggest(root, referenceRoots(), ""); strings.HasSuffix(near, "?") {
		return near
	}
	return fmt.Sprintf(" Put text in double quotes, or begin a reference with one of %s.", strings.Join(referenceRoots(), ", "))
}

// header writes how a block of a kind begins.
func header(word, name string) string {
	raw, _ := kindOf(word)
	if len(labelNames(raw)) > 1 {
		return fmt.Sprintf("%s \"…\" %q", word, name)
	}
	return fmt.Sprintf("%s %q", word, name)
}

// node gives the node of an argument, nil when it was not written.
func (b *block) node(f field) *node {
	return b.remember(f.name, b.content.Attributes[f.name])
}

// nested gives the single nested block of a field, nil when it was not
// written.
func (b *block) nested(f field) *hcl.Block {
	i := slices.IndexFunc(b.content.Blocks, func(nested *hcl.Block) bool { return nested.Type == f.name })
	if i < 0 {
		return nil
	}
	return b.content.Blocks[i]
}

// nestedNode gives the node of an argument of a single nested block.
func (l *loader) nestedNode(b *block, f field, nested *hcl.Block, g field) *node {
	return b.remember(f.name+"."+g.name, l.contentOf(b, nested, f).Attributes[g.name])
}

// remember makes the node of an argument, once.
func (b *block) remember(name string, a *hcl.Attribute) *node {
	if a == nil {
		return nil
	}
	if b.nodes[name] == nil {
		b.nodes[name] = &node{word: name, address: b.address, expr: a.Expr, each: b.each}
	}
	return b.nodes[name]
}

func referenceRoots() []string {
	roots := []string{"var", "local", "each"}
	for _, k := range kinds() {
		if !k.single && k.word != "variable" && !slices.Contains([]string{"revocation", "moved", "removed"}, k.word) { // nothing is made of these
			roots = append(roots, k.word)
		}
	}
	return roots
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

// firstArgument gives an example of what a reference can name.
func firstArgument(t reflect.Type) string {
	for _, role := range []string{"", "optional"} {
		for _, f := range fieldsOf(t) {
			if f.role == role && !f.isRef() {
				return f.name
			}
		}
	}
	return "NAME"
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
