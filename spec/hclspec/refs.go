package hclspec

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

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

// decodeRef reads an expression that must name a block of one kind.
func (l *loader) decodeRef(expr hcl.Expression, f field, b *block) (ref, bool) {
	t, diags := hcl.AbsTraversalForExpr(expr)
	if diags.HasErrors() {
		return l.computedRef(expr, f, b)
	}
	if name, _ := step(t, 1); name == "" || t.RootName() != f.refKind || len(t) > 3 {
		if hcl.ExprAsKeyword(expr) == "null" && f.role == "optional" {
			return ref{}, false // as if it were not written
		}
		here := ""
		if t.RootName() != f.refKind && slices.Contains(referenceRoots(), t.RootName()) {
			here = fmt.Sprintf(" Here, it begins with %s.", t.RootName())
		}
		l.notARef(expr, f, here)
		return ref{}, false
	}
	target := l.blockNamed(t, expr, f)
	if target == nil {
		return ref{}, false
	}
	return b.refer(target, expr), true
}

func (l *loader) notARef(expr hcl.Expression, f field, here string) {
	write := f.refKind + ".NAME"
	if v, constant := literal(expr); constant && v.Type() == cty.String && !v.IsNull() && strings.HasPrefix(v.AsString(), f.refKind+".") {
		write = v.AsString()
	}
	l.report(expr.Range(), "Not a reference", "The argument %q takes %s.%s Write %s, without quotes.", f.name, f.doc, here, write)
}

// refer notes that b refers to another block.
func (b *block) refer(target *block, expr hcl.Expression) ref {
	b.refs = append(b.refs, target.address)
	return ref{address: target.address, rng: expr.Range()}
}

// blockNamed finds the block of KIND.NAME or KIND.NAME["KEY"].
func (l *loader) blockNamed(t hcl.Traversal, expr hcl.Expression, f field) *block {
	name, _ := step(t, 1)
	b := l.lookup(t, t.RootName(), name)
	if b == nil {
		return nil
	}
	index, isIndex := hcl.TraverseIndex{}, false
	if len(t) == 3 {
		index, isIndex = t[2].(hcl.TraverseIndex)
	}
	switch {
	case len(t) == 3 && !isIndex && b.forEach != nil:
		key, _ := step(t, 2)
		l.report(expr.Range(), "Key without brackets", "%s has for_each, and one of them is named by its key in brackets. Write %s[%q].", b.address, b.address, key)
		return nil
	case len(t) == 3 && !isIndex:
		l.notARef(expr, f, "")
		return nil
	case b.forEach == nil && isIndex:
		l.report(expr.Range(), "Key of a block without for_each", "%s has no for_each, so there is only one. Write %s.", b.address, b.address)
		return nil
	case b.forEach == nil:
		return b
	case !isIndex:
		l.report(expr.Range(), "Block with several instances", "%s has for_each. Say which one is meant, as in %s[\"KEY\"].", b.address, b.address)
		return nil
	case index.Key.Type() != cty.String:
		l.report(expr.Range(), "Invalid key", "The key of %s is %s. Write a string.", b.address, describe(index.Key))
		return nil
	}
	return l.instance(expr.Range(), b, index.Key.AsString())
}

// computedRef reads a reference that an expression chooses, such as
// authority.issuing[each.key].
func (l *loader) computedRef(expr hcl.Expression, f field, b *block) (ref, bool) {
	if value, constant := literal(expr); constant {
		if !value.IsNull() || f.role != "optional" {
			l.notARef(expr, f, "")
		}
		return ref{}, false
	}
	if index, ok := expr.(*hclsyntax.IndexExpr); ok {
		if t, diags := hcl.AbsTraversalForExpr(index.Collection); !diags.HasErrors() && len(t) == 2 && t.RootName() == f.refKind {
			key, ok := l.evaluate(index.Key)
			if !ok {
				l.faults++
				return ref{}, false
			}
			target := l.blockNamed(append(slices.Clone(t), hcl.TraverseIndex{Key: key}), expr, f)
			if target == nil {
				return ref{}, false
			}
			return b.refer(target, expr), true
		}
	}
	value, ok := l.evaluateRefs(expr, f)
	if !ok {
		l.faults++
		return ref{}, false
	}
	if value.IsNull() && f.role == "optional" {
		return ref{}, false
	}
	target, ok := blockOf(value)
	if !ok {
		l.notARef(expr, f, fmt.Sprintf(" Here, it is %s.", describe(value)))
		return ref{}, false
	}
	return b.refer(target, expr), true
}

// decodeRefs reads a list of references.
func (l *loader) decodeRefs(target reflect.Value, expr hcl.Expression, f field, b *block) {
	add := func(r ref, ok bool) {
		if ok {
			target.Set(reflect.Append(target, reflect.ValueOf(r)))
		}
	}
	if members, diags := hcl.ExprList(expr); !diags.HasErrors() {
		for _, member := range members {
			add(l.decodeRef(member, f, b))
		}
		return
	}
	if _, diags := hcl.AbsTraversalForExpr(expr); !diags.HasErrors() || isLiteral(expr) {
		l.report(expr.Range(), "Not a list of references", "The argument %q takes %s. Write [%s.NAME], without quotes.", f.name, f.doc, f.refKind)
		return
	}
	value, ok := l.evaluateRefs(expr, f)
	if !ok {
		l.faults++
		return
	}
	if value.IsNull() || !value.CanIterateElements() {
		l.report(expr.Range(), "Not a list of references", "The argument %q takes %s. Here, it is %s. Write [%s.NAME], without quotes.", f.name, f.doc, describe(value), f.refKind)
		return
	}
	for _, member := range value.AsValueSlice() {
		found, ok := blockOf(member)
		if !ok {
			l.notARef(expr, f, fmt.Sprintf(" Here, a member is %s.", describe(member)))
			return
		}
		add(b.refer(found, expr), true)
	}
}

func isLiteral(expr hcl.Expression) bool {
	_, constant := literal(expr)
	return constant
}

// blockType is the type of a whole block as a value; only arguments that take
// references ever see one.
func blockCapsule() cty.Type { return capsuleOfBlocks }

var capsuleOfBlocks = cty.Capsule("reference", reflect.TypeFor[block]())

func blockOf(v cty.Value) (*block, bool) {
	if v.IsNull() || !v.Type().Equals(blockCapsule()) {
		return nil, false
	}
	return v.EncapsulatedValue().(*block), true
}

// evaluateRefs evaluates an expression in which every block of the wanted
// kind stands for itself.
func (l *loader) evaluateRefs(expr hcl.Expression, f field) (cty.Value, bool) {
	seen, ok := scope{}, true
	for _, t := range expr.Variables() {
		name, named := step(t, 1)
		if t.RootName() != f.refKind || !named {
			ok = l.resolve(t, nil, seen) && ok
			continue
		}
		b := l.lookup(t, t.RootName(), name)
		switch {
		case b == nil:
			ok = false
		case b.forEach == nil:
			seen.put(cty.CapsuleVal(blockCapsule(), b), b.path()...)
		default:
			seen.put(cty.EmptyObjectVal, b.path()...)
			for _, instance := range l.expand(b) {
				seen.put(cty.CapsuleVal(blockCapsule(), instance), instance.path()...)
			}
			ok = ok && !b.faulty
		}
	}
	if !ok {
		return cty.DynamicVal, false
	}
	return l.value(expr, seen.object())
}
