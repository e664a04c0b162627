package hclspec

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// countLoops is the name, which nobody can write, of the function that every
// for expression passes its collection through.
const countLoops = " for"

// maxLoops bounds how often the for expressions of an estate go round, all
// together, so that loops inside loops end.
const maxLoops = 500_000

// loopCounter hands its argument through and counts its members.
func (l *loader) loopCounter() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "collection", Type: cty.DynamicPseudoType, AllowNull: true, AllowUnknown: true, AllowDynamicType: true}},
		Type:   func(args []cty.Value) (cty.Type, error) { return args[0].Type(), nil },
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if v := args[0]; v.IsKnown() && !v.IsNull() && v.CanIterateElements() {
				l.loops += 1 + v.LengthInt()
			}
			if l.loops > maxLoops {
				return cty.DynamicVal, fmt.Errorf("the for expressions of this estate go round more than %d times", maxLoops)
			}
			return args[0], nil
		},
	})
}

// guard puts bounds into an expression: on the numbers of its operators, and
// on its loops.
func (l *loader) guard(expr hcl.Expression) {
	native, ok := expr.(hclsyntax.Expression)
	if !ok {
		return
	}
	hclsyntax.VisitAll(native, func(n hclsyntax.Node) hcl.Diagnostics {
		switch e := n.(type) {
		case *hclsyntax.BinaryOpExpr:
			e.Op = guardedOperation(e.Op)
		case *hclsyntax.UnaryOpExpr:
			e.Op = guardedOperation(e.Op)
		case *hclsyntax.ForExpr:
			if call, is := e.CollExpr.(*hclsyntax.FunctionCallExpr); !is || call.Name != countLoops {
				at := e.CollExpr.Range()
				e.CollExpr = &hclsyntax.FunctionCallExpr{Name: countLoops, Args: []hclsyntax.Expression{e.CollExpr}, NameRange: at, OpenParenRange: at, CloseParenRange: at}
			}
		}
		return nil
	})
}
