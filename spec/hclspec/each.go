package hclspec

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"pki.internal/spec"
)

// forEachWord is the argument that makes one block stand for many.
const forEachWord = "for_each"

// maxInstances bounds what one for_each makes.
const maxInstances = 20_000

// each is what an instance of a block sees as each.key and each.value.
type each struct {
	key   string
	value cty.Value
}

// repeats reports whether blocks of a kind take for_each: those that have a
// name and stand for things of which there can be many.
func repeats(word string) bool {
	_, single := kindOf(word)
	return !single && word != "variable"
}

// expandAll puts the instances of every block with for_each in its place.
func (l *loader) expandAll() {
	var order []*block
	for _, b := range l.order {
		if b.forEach == nil {
			order = append(order, b)
			continue
		}
		order = append(order, l.expand(b)...)
	}
	l.order = order
}

// expand gives the instances of a block with for_each, once. A block whose
// for_each is wrong has none and is faulty.
func (l *loader) expand(b *block) []*block {
	switch b.expanded {
	case done:
		return b.instances
	case walking:
		l.report(b.forEach.Range(), "Reference cycle", "The for_each of %s depends on the block itself. Write it without a reference to the block.", b.address)
		b.faulty, b.expanded = true, done
		return nil
	}
	b.expanded = walking
	outer, outerEach := l.at, l.each
	l.at, l.each = b.address, nil
	value, ok := l.evaluate(b.forEach)
	if b.expanded != done && ok {
		b.instances, ok = l.instancesOf(b, value)
	}
	l.at, l.each = outer, outerEach
	if !ok {
		b.faulty, b.instances = true, nil
	}
	b.expanded = done
	for _, instance := range b.instances {
		l.blocks[instance.address] = instance
	}
	return b.instances
}

// instancesOf makes one block for each member of a set or map.
func (l *loader) instancesOf(b *block, value cty.Value) ([]*block, bool) {
	at, t := b.forEach.Range(), value.Type()
	switch {
	case value.IsNull():
		l.report(at, "Invalid for_each", "for_each is null. Give it a map, or a set of strings; an empty one makes no block.")
		return nil, false
	case t.IsTupleType() || t.IsListType():
		l.report(at, "Invalid for_each", "for_each takes a map, or a set of strings, and this is a list, whose members have no names. Write toset([\"us\", \"eu\"]).")
		return nil, false
	case !t.IsMapType() && !t.IsObjectType() && !t.IsSetType():
		l.report(at, "Invalid for_each", "for_each takes a map, or a set of strings, and this is %s. Write toset([\"us\", \"eu\"]), or { us = …, eu = … }.", describe(value))
		return nil, false
	case value.LengthInt() > maxInstances:
		l.report(at, "Invalid for_each", "for_each has %d members, and %d is the most. Divide the block into several.", value.LengthInt(), maxInstances)
		return nil, false
	}
	var instances []*block
	for it := value.ElementIterator(); it.Next(); {
		key, member := it.Element()
		if t.IsSetType() {
			key = member
		}
		if key.IsNull() || key.Type() != cty.String || !spec.ValidKey(key.AsString()) {
			l.report(at, "Invalid key in for_each",
				"%s cannot be a key, because keys become file names. Use letters, digits, dots, dashes and underscores, 64 at most, and begin with a letter or digit.", keyWords(key))
			return nil, false
		}
		instance := *b
		instance.address.Key = key.AsString()
		instance.each = &each{key.AsString(), member}
		instance.nodes, instance.forEach, instance.instances = map[string]*node{}, nil, nil
		instances = append(instances, &instance)
	}
	slices.SortFunc(instances, func(x, y *block) int { return compareStrings(x.address.Key, y.address.Key) })
	return instances, true
}

func compareStrings(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func keyWords(key cty.Value) string {
	if !key.IsNull() && key.Type() == cty.String {
		return fmt.Sprintf("%q", shorten(key.AsString()))
	}
	return "A member that is " + describe(key)
}

// instance gives the instance of a block under a key, or says which keys
// there are.
func (l *loader) instance(at hcl.Range, b *block, key string) *block {
	instances := l.expand(b)
	if b.faulty {
		l.faults++ // reported where for_each is written
		return nil
	}
	var have []string
	for _, one := range instances {
		if one.address.Key == key {
			return one
		}
		have = append(have, one.address.Key)
	}
	l.report(at, "Reference to an unknown key", "%s has no member with the key %q.%s", b.address, shorten(key), suggest(key, have, "Add the key to its for_each."))
	return nil
}

// resolveEach puts each.key or each.value into the scope.
func (l *loader) resolveEach(t hcl.Traversal, name string, seen scope) bool {
	switch {
	case l.each == nil:
		l.report(t.SourceRange(), "Reference outside of for_each", "each.key and each.value exist only in a block that has for_each. Add for_each to the block, or write the value here.")
		return false
	case name == "key":
		seen.put(cty.StringVal(l.each.key), "each", "key")
	case name == "value":
		seen.put(l.each.value, "each", "value")
	default:
		l.report(t.SourceRange(), "Unknown reference", "There is no each.%s. Write each.key or each.value.", name)
		return false
	}
	return true
}

// keyedGroup is authority.NAME[KEY].ARGUMENT with a key that is not written
// out.
type keyedGroup struct {
	key  hcl.Expression
	rest hcl.Traversal // .ARGUMENT…, relative
}

// keyedGroups finds them in an expression, by where the traversal before the
// bracket begins.
func keyedGroups(expr hcl.Expression) map[hcl.Pos]keyedGroup {
	native, ok := expr.(hclsyntax.Expression)
	if !ok {
		return nil
	}
	var groups map[hcl.Pos]keyedGroup
	note := func(e hclsyntax.Expression, rest hcl.Traversal) {
		index, isIndex := e.(*hclsyntax.IndexExpr)
		if !isIndex {
			return
		}
		start := index.Collection.Range().Start
		if _, noted := groups[start]; noted {
			return
		}
		if groups == nil {
			groups = map[hcl.Pos]keyedGroup{}
		}
		groups[start] = keyedGroup{index.Key, rest}
	}
	// The traversal after a bracket is met before the bracket itself.
	hclsyntax.VisitAll(native, func(n hclsyntax.Node) hcl.Diagnostics {
		switch e := n.(type) {
		case *hclsyntax.RelativeTraversalExpr:
			note(e.Source, e.Traversal)
		case hclsyntax.Expression:
			note(e, nil)
		}
		return nil
	})
	return groups
}

// resolveGroup resolves a reference to a block with for_each: to one instance
// when the key is known, else to what is asked of each of them.
func (l *loader) resolveGroup(t hcl.Traversal, b *block, keyed map[hcl.Pos]keyedGroup, seen scope) bool {
	if len(t) > 2 {
		key, found := step(t, 2)
		if _, attribute := t[2].(hcl.TraverseAttr); attribute || !found {
			l.report(t.SourceRange(), "Block with several instances", "%s has for_each. Say which one is meant, as in %s[\"KEY\"].", b.address, b.address)
			return false
		}
		instance := l.instance(t.SourceRange(), b, key)
		return instance != nil && l.resolveBlock(t, instance, seen, 3)
	}
	group, isKeyed := keyed[t.SourceRange().Start]
	if isKeyed && l.evaluable(group.key) {
		key, ok := l.evaluate(group.key)
		if !ok {
			return false
		}
		text, err := stringOf(key)
		if key.IsNull() || err != nil {
			l.report(group.key.Range(), "Invalid key", "The key of %s is %s. Write a string.", b.address, describe(key))
			return false
		}
		instance := l.instance(group.key.Range(), b, text)
		return instance != nil && l.resolveBlock(slices.Concat(t, hcl.Traversal{hcl.TraverseIndex{Key: key}}, group.rest), instance, seen, 3)
	}
	instances := l.expand(b)
	if b.faulty {
		l.faults++
		return false
	}
	all := true
	seen.put(cty.EmptyObjectVal, b.path()...)
	for _, instance := range instances {
		if isKeyed && len(group.rest) > 0 {
			all = l.resolveBlock(slices.Concat(t, hcl.Traversal{hcl.TraverseIndex{Key: cty.StringVal(instance.address.Key)}}, group.rest), instance, seen, 3) && all
			continue
		}
		all = l.resolveWhole(t, instance, seen) && all
	}
	return all
}

// evaluable reports whether an expression refers to nothing that a for
// expression around it names.
func (l *loader) evaluable(expr hcl.Expression) bool {
	roots := referenceRoots()
	return !slices.ContainsFunc(expr.Variables(), func(t hcl.Traversal) bool { return !slices.Contains(roots, t.RootName()) })
}

// resolveWhole puts every argument of an instance into the scope; what is not
// written is null.
func (l *loader) resolveWhole(t hcl.Traversal, b *block, seen scope) bool {
	all := true
	seen.put(cty.EmptyObjectVal, b.path()...)
	for _, f := range l.shapes.of(b.raw).fields {
		switch {
		case f.role == "label" || f.isRef() || f.repeated:
		case f.role == "block" && b.nested(f) != nil:
			all = l.resolveNested(t, b, f, seen, len(t)) && all
		case f.role == "block" || b.node(f) == nil:
			seen.put(cty.NullVal(cty.DynamicPseudoType), b.path(f.name)...)
		default:
			all = l.resolveNode(t, b.node(f), b.address.String(), seen, b.path(f.name)...) && all
		}
	}
	return all
}
