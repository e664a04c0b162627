package hclspec

import (
	"fmt"
	"math/big"
	"reflect"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"pki.internal/spec"
)

// decodeAll turns every block into its raw struct.
func (l *loader) decodeAll() {
	l.expandAll()
	for _, b := range l.order {
		if b.word == "variable" {
			continue
		}
		target := reflect.New(b.raw)
		l.decodeBlock(target.Elem(), b)
		b.decoded = target
	}
	for _, name := range keys(l.locals) {
		l.evaluateNode(l.locals[name]) // an unused local may be wrong, too
	}
	l.spreadFaults()
}

// decodeBlock decodes one block and notes whether it came out whole.
func (l *loader) decodeBlock(target reflect.Value, b *block) {
	before := l.faults
	l.at, l.each = b.address, b.each
	l.decodeLabels(target, b.labels)
	l.decodeBody(target, body{content: b.content, block: b, rng: b.rng, node: b.node})
	l.at, l.each = spec.Address{}, nil
	b.faulty = b.faulty || l.faults != before
}

// spreadFaults marks every block that refers to a faulty one, so that the
// rest can still be held against the rules of the estate.
func (l *loader) spreadFaults() {
	referrers := map[spec.Address][]*block{}
	var faulty []*block
	mark := func(b *block) {
		if !b.faulty {
			b.faulty = true
			faulty = append(faulty, b)
		}
	}
	for _, b := range l.order {
		if b.faulty {
			faulty = append(faulty, b)
			continue
		}
		for _, a := range b.refs {
			if l.blocks[a] == nil {
				mark(b)
			}
			referrers[a] = append(referrers[a], b)
		}
	}
	for len(faulty) > 0 {
		b := faulty[len(faulty)-1]
		faulty = faulty[:len(faulty)-1]
		for _, referrer := range referrers[b.address] {
			mark(referrer)
		}
	}
}

func (l *loader) decodeLabels(target reflect.Value, labels []string) {
	next := 0
	for _, f := range l.shapes.of(target.Type()).fields {
		if f.role == "label" && next < len(labels) {
			target.Field(f.index).SetString(labels[next])
			next++
		}
	}
}

// body is a block's own body or that of a block nested in it.
type body struct {
	content *hcl.BodyContent
	block   *block
	rng     hcl.Range           // of the header
	node    func(f field) *node // of an argument, nil when it was not written
}

// decodeBody fills a raw struct from a body.
func (l *loader) decodeBody(target reflect.Value, in body) {
	origin := spec.Origin{
		Address: in.block.address, Block: convertRange(in.rng),
		Attributes: make(map[string]spec.Range, len(in.content.Attributes)+len(in.content.Blocks)),
	}
	for name, a := range in.content.Attributes {
		origin.Attributes[name] = convertRange(a.Range)
	}
	for _, nested := range in.content.Blocks {
		origin.Attributes[nested.Type] = convertRange(nested.DefRange)
	}
	s := l.shapes.of(target.Type())
	target.Field(s.origin).Set(reflect.ValueOf(origin))
	for _, f := range s.fields {
		switch f.role {
		case "label":
		case "block":
			l.decodeNested(target.Field(f.index), f, in)
		default:
			l.decodeArgument(target.Field(f.index), f, in)
		}
	}
}

func (l *loader) decodeNested(target reflect.Value, f field, in body) {
	var first *hcl.Block
	for _, nested := range in.content.Blocks {
		if nested.Type != f.name {
			continue
		}
		if first != nil && !f.repeated {
			l.report(nested.DefRange, "Duplicate block", "Only one %q block is expected here, and line %d has one. Merge or remove one of them.", f.name, first.DefRange.Start.Line)
			continue
		}
		first = nested
		inner := body{content: l.contentOf(in.block, nested, f), block: in.block, rng: nested.DefRange}
		inner.node = func(g field) *node { return l.nestedNode(in.block, f, nested, g) }
		value := reflect.New(f.blockType())
		if f.repeated { // nothing can refer to one of several
			inner.node = func(g field) *node {
				return (&block{address: in.block.address, each: in.block.each, nodes: map[string]*node{}}).remember(f.name+"."+g.name, inner.content.Attributes[g.name])
			}
		}
		l.decodeLabels(value.Elem(), nested.Labels)
		l.decodeBody(value.Elem(), inner)
		if f.repeated {
			target.Set(reflect.Append(target, value.Elem()))
		} else {
			target.Set(value)
		}
	}
}

// contentOf takes the body of a nested block apart, once.
func (l *loader) contentOf(b *block, nested *hcl.Block, f field) *hcl.BodyContent {
	if b.inner[nested] == nil {
		s := l.shapes.of(f.blockType())
		content, diags := nested.Body.Content(s.schema)
		l.reportBody(diags, s.schema)
		l.native(content, s)
		b.noteMisspelt(diags)
		b.inner[nested] = content
	}
	return b.inner[nested]
}

func (l *loader) decodeArgument(target reflect.Value, f field, in body) {
	a := in.content.Attributes[f.name]
	if a == nil {
		if f.role != "optional" && !in.block.misspelt[f.name] {
			l.report(in.rng, "Missing required argument", "The argument %q is required: %s. Add it.", f.name, f.doc)
		}
		return
	}
	switch {
	case f.goType == reflect.TypeFor[hcl.Expression]():
		target.Set(reflect.ValueOf(a.Expr))
		return
	case f.goType == reflect.TypeFor[ref]():
		if r, ok := l.decodeRef(a.Expr, f, in.block); ok {
			target.Set(reflect.ValueOf(r))
		}
		return
	case f.goType == reflect.TypeFor[[]ref]():
		l.decodeRefs(target, a.Expr, f, in.block)
		return
	}
	value, constant := literal(a.Expr)
	if !constant {
		ok := false
		if value, ok = l.evaluateNode(in.node(f)); !ok {
			l.faults++ // reported where the fault is
			return
		}
	}
	if value.IsNull() && f.goType != reflect.TypeFor[cty.Value]() {
		if f.role != "optional" {
			l.report(a.Expr.Range(), "Missing required argument", "The argument %q is required and must not be null: %s. Give it a value.", f.name, f.doc)
		}
		return
	}
	converted, err := goValue(value, f.goType)
	if err != nil {
		l.report(a.Expr.Range(), "Invalid value for an argument", "The argument %q takes %s. Here, %s.", f.name, f.doc, err)
		return
	}
	target.Set(converted)
}

// goValue converts a known, non-null value to the Go type of a field.
func goValue(v cty.Value, t reflect.Type) (reflect.Value, error) {
	if t == reflect.TypeFor[cty.Value]() {
		return reflect.ValueOf(v), nil
	}
	if t.Kind() == reflect.Pointer {
		inner, err := goValue(v, t.Elem())
		if err != nil {
			return reflect.Value{}, err
		}
		pointer := reflect.New(t.Elem())
		pointer.Elem().Set(inner)
		return pointer, nil
	}
	switch {
	case t == reflect.TypeFor[spec.Duration]():
		return parsed(v, spec.ParseDuration)
	case t == reflect.TypeFor[spec.Span]():
		return parsed(v, spec.ParseSpan)
	case t.Kind() == reflect.Slice:
		return goStrings(v)
	case t.Kind() == reflect.String:
		s, err := stringOf(v)
		return reflect.ValueOf(s), err
	case t.Kind() == reflect.Bool:
		if v.Type() != cty.Bool {
			return reflect.Value{}, fmt.Errorf("it is %s. Write true or false, without quotes", describe(v))
		}
		return reflect.ValueOf(v.True()), nil
	case t.Kind() == reflect.Int:
		if v.Type() != cty.Number {
			return reflect.Value{}, fmt.Errorf("it is %s. Write a number, without quotes", describe(v))
		}
		n, exact := v.AsBigFloat().Int64()
		if exact != big.Exact || n != int64(int32(n)) {
			return reflect.Value{}, fmt.Errorf("it is %s. Write a whole number of a size that makes sense", describe(v))
		}
		return reflect.ValueOf(int(n)), nil
	}
	panic("schema holds a field of type " + t.String() + ", which the decoder does not know")
}

func parsed[T any](v cty.Value, parse func(string) (T, error)) (reflect.Value, error) {
	s, err := stringOf(v)
	if err != nil {
		return reflect.Value{}, err
	}
	value, err := parse(s)
	return reflect.ValueOf(value), err
}

// stringOf refuses numbers where a string is meant: "20" without a unit is a
// mistake that a silent conversion would hide.
func stringOf(v cty.Value) (string, error) {
	if v.Type() != cty.String {
		return "", fmt.Errorf("it is %s. Write a string in double quotes", describe(v))
	}
	return v.AsString(), nil
}

func goStrings(v cty.Value) (reflect.Value, error) {
	t := v.Type()
	if !t.IsTupleType() && !t.IsListType() && !t.IsSetType() {
		return reflect.Value{}, fmt.Errorf("it is %s. Put it in brackets: [ ]", describe(v))
	}
	texts := []string{}
	for _, member := range v.AsValueSlice() {
		if member.IsNull() || member.Type() != cty.String {
			return reflect.Value{}, fmt.Errorf("a member is %s. Write every member as a string in double quotes", describe(member))
		}
		texts = append(texts, member.AsString())
	}
	return reflect.ValueOf(texts), nil
}

// describe names a value as people say it.
func describe(v cty.Value) string {
	t := v.Type()
	switch {
	case v.IsNull():
		return "null"
	case !v.IsKnown():
		return "not known"
	case t == cty.String:
		return fmt.Sprintf("the string %q", shorten(v.AsString()))
	case t == cty.Number:
		return "the number " + v.AsBigFloat().Text('g', 12)
	case t == cty.Bool:
		return fmt.Sprintf("%v", v.True())
	case t.IsTupleType() || t.IsListType() || t.IsSetType():
		return "a list"
	case t.IsObjectType() || t.IsMapType():
		return "an object"
	}
	return "a value of type " + t.FriendlyName()
}

// shorten keeps a message readable when somebody names a whole file.
func shorten(s string) string {
	const most = 60
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return s
}
