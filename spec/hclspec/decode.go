package hclspec

import (
	"fmt"
	"reflect"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"pki.internal/spec"
)

// ref is a reference to a whole block. Its zero value means that none was
// written.
type ref struct {
	address spec.Address
	rng     hcl.Range
}

func (f field) isRef() bool {
	return f.goType == reflect.TypeFor[ref]() || f.goType == reflect.TypeFor[[]ref]()
}

// decodeAll turns every block into its raw struct.
func (l *loader) decodeAll() {
	for _, b := range l.order {
		if b.word == "variable" {
			continue
		}
		target := reflect.New(b.raw)
		l.decodeLabels(target.Elem(), b.labels)
		l.decodeBody(target.Elem(), b.content, b.address, b.rng, b)
		b.decoded = target
	}
	for _, name := range keys(l.locals) {
		l.value(l.locals[name]) // an unused local may be wrong, too
	}
}

// decodeBlock decodes one block now and reports whether it came out whole.
func decodeBlock[T any](l *loader, b *block) (*T, bool) {
	raw := new(T)
	before := len(l.diags)
	l.decodeLabels(reflect.ValueOf(raw).Elem(), b.labels)
	l.decodeBody(reflect.ValueOf(raw).Elem(), b.content, b.address, b.rng, b)
	return raw, len(l.diags) == before
}

func (l *loader) decodeLabels(target reflect.Value, labels []string) {
	next := 0
	for _, f := range fieldsOf(target.Type()) {
		if f.role == "label" && next < len(labels) {
			target.Field(f.index).SetString(labels[next])
			next++
		}
	}
}

// decodeBody fills a raw struct from a body. top is the block when the body
// is its own, so that its arguments are evaluated once.
func (l *loader) decodeBody(target reflect.Value, content *hcl.BodyContent, address spec.Address, def hcl.Range, top *block) {
	origin := spec.Origin{Address: address, Block: convertRange(def), Attributes: map[string]spec.Range{}}
	for name, a := range content.Attributes {
		origin.Attributes[name] = convertRange(a.Range)
	}
	for _, nested := range content.Blocks {
		origin.Attributes[nested.Type] = convertRange(nested.DefRange)
	}
	target.FieldByName("Origin").Set(reflect.ValueOf(origin))
	for _, f := range fieldsOf(target.Type()) {
		switch f.role {
		case "label":
		case "block":
			l.decodeNested(target.Field(f.index), f, content, address)
		default:
			l.decodeArgument(target.Field(f.index), f, content.Attributes[f.name], address, def, top)
		}
	}
}

func (l *loader) decodeNested(target reflect.Value, f field, content *hcl.BodyContent, address spec.Address) {
	var first *hcl.Block
	for _, nested := range content.Blocks {
		if nested.Type != f.name {
			continue
		}
		if first != nil && !f.repeated {
			l.report(nested.DefRange, address, "Duplicate block", "Only one %q block is expected here, and line %d has one. Merge or remove one of them.", f.name, first.DefRange.Start.Line)
			continue
		}
		first = nested
		inner, diags := nested.Body.Content(bodySchema(f.blockType()))
		l.reportHCL(diags)
		if inner == nil {
			continue
		}
		value := reflect.New(f.blockType())
		l.decodeLabels(value.Elem(), nested.Labels)
		l.decodeBody(value.Elem(), inner, address, nested.DefRange, nil)
		if f.repeated {
			target.Set(reflect.Append(target, value.Elem()))
		} else {
			target.Set(value)
		}
	}
}

func (l *loader) decodeArgument(target reflect.Value, f field, a *hcl.Attribute, address spec.Address, def hcl.Range, top *block) {
	if a == nil {
		if f.role != "optional" {
			l.report(def, address, "Missing required argument", "The argument %q is required: %s.", f.name, f.doc)
		}
		return
	}
	switch {
	case f.goType == reflect.TypeFor[hcl.Expression]():
		target.Set(reflect.ValueOf(a.Expr))
		return
	case f.goType == reflect.TypeFor[ref]():
		if r, ok := l.decodeRef(a.Expr, f, address); ok {
			target.Set(reflect.ValueOf(r))
		}
		return
	case f.goType == reflect.TypeFor[[]ref]():
		l.decodeRefs(target, a.Expr, f, address)
		return
	}
	value, ok := cty.DynamicVal, false
	if top != nil {
		value, ok = l.value(top.node(f))
	} else {
		value, ok = l.evaluate(a.Expr)
	}
	if !ok {
		return
	}
	if value.IsNull() {
		if f.role != "optional" {
			l.report(a.Expr.Range(), address, "Missing required argument", "The argument %q is required and must not be null: %s.", f.name, f.doc)
		}
		return
	}
	converted, err := goValue(value, f.goType)
	if err != nil {
		l.report(a.Expr.Range(), address, "Invalid value for an argument", "The argument %q takes %s. Here, %s.", f.name, f.doc, err)
		return
	}
	target.Set(converted)
}

// decodeRef reads an expression that must name a block of one kind.
func (l *loader) decodeRef(expr hcl.Expression, f field, address spec.Address) (ref, bool) {
	t, diags := hcl.AbsTraversalForExpr(expr)
	name, _ := step(t, 1)
	if diags.HasErrors() || len(t) != 2 || t.RootName() != f.refKind {
		l.report(expr.Range(), address, "Not a reference to a "+f.refKind, "The argument %q takes %s.", f.name, f.doc)
		return ref{}, false
	}
	if l.lookup(t, t.RootName(), name) == nil {
		return ref{}, false
	}
	return ref{address: spec.Address{Kind: f.refKind, Name: name}, rng: expr.Range()}, true
}

func (l *loader) decodeRefs(target reflect.Value, expr hcl.Expression, f field, address spec.Address) {
	members, diags := hcl.ExprList(expr)
	if diags.HasErrors() {
		l.report(expr.Range(), address, "Not a list of references", "The argument %q takes %s.", f.name, f.doc)
		return
	}
	for _, member := range members {
		if r, ok := l.decodeRef(member, f, address); ok {
			target.Set(reflect.Append(target, reflect.ValueOf(r)))
		}
	}
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
			return reflect.Value{}, fmt.Errorf("it is %s", describe(v))
		}
		return reflect.ValueOf(v.True()), nil
	case t.Kind() == reflect.Int:
		if v.Type() != cty.Number {
			return reflect.Value{}, fmt.Errorf("it is %s", describe(v))
		}
		n, _ := v.AsBigFloat().Int64()
		if !v.RawEquals(cty.NumberIntVal(n)) || n != int64(int32(n)) {
			return reflect.Value{}, fmt.Errorf("it is not a whole number of a size that makes sense")
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
		return "", fmt.Errorf("it is %s", describe(v))
	}
	return v.AsString(), nil
}

func goStrings(v cty.Value) (reflect.Value, error) {
	list, err := convert.Convert(v, cty.List(cty.String))
	if err != nil || !v.CanIterateElements() || v.Type().IsObjectType() || v.Type().IsMapType() {
		return reflect.Value{}, fmt.Errorf("it is %s", describe(v))
	}
	strings := []string{}
	for _, member := range list.AsValueSlice() {
		if member.IsNull() {
			return reflect.Value{}, fmt.Errorf("a member is null")
		}
		strings = append(strings, member.AsString())
	}
	return reflect.ValueOf(strings), nil
}

// describe names a value's type as people say it.
func describe(v cty.Value) string {
	t := v.Type()
	switch {
	case t == cty.String:
		return fmt.Sprintf("the string %q", v.AsString())
	case t == cty.Number:
		return "the number " + v.AsBigFloat().Text('g', 12)
	case t == cty.Bool:
		return fmt.Sprintf("%v", v.True())
	case t.IsTupleType() || t.IsListType() || t.IsSetType():
		return "a list"
	case t.IsObjectType() || t.IsMapType():
		return "an object"
	}
	return t.FriendlyName()
}
