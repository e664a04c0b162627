package hclspec

import (
	"errors"
	"fmt"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
)

// The language turns "1e99999999" into a number wherever one is wanted, and
// numbers into text digit by digit, which would take hours. So every operation
// and function is handed its numbers by the guard below, and no number with
// more digits than an estate can need ever comes into being.

var errHugeNumber = errors.New("a number that is infinite or has more digits than an estate can need")

// number converts a value as the language would, within bounds.
func number(v cty.Value) (cty.Value, error) {
	if v.Type() == cty.String && v.IsKnown() && !v.IsNull() && hugeNumber(v.AsString()) {
		return cty.NilVal, errHugeNumber
	}
	converted, err := convert.Convert(v, cty.Number)
	if err == nil && tooLarge(converted) {
		err = errHugeNumber
	}
	return converted, err
}

// guarded is f with its numbers within bounds, those it takes and those it
// gives.
func guarded(f function.Function) function.Function {
	params := append([]function.Parameter{}, f.Params()...)
	wantsNumber := func(i int) bool {
		if i < len(f.Params()) {
			return f.Params()[i].Type == cty.Number
		}
		return f.VarParam() != nil && f.VarParam().Type == cty.Number
	}
	for i := range params {
		if wantsNumber(i) {
			params[i].Type, params[i].AllowNull = cty.DynamicPseudoType, false
		}
	}
	more := f.VarParam()
	if more != nil && more.Type == cty.Number {
		loose := *more
		loose.Type = cty.DynamicPseudoType
		more = &loose
	}
	convertAll := func(args []cty.Value) ([]cty.Value, error) {
		converted := append([]cty.Value{}, args...)
		for i, arg := range args {
			if !wantsNumber(i) {
				continue
			}
			n, err := number(arg)
			if err != nil {
				return nil, function.NewArgErrorf(i, "%s", numberError(err))
			}
			converted[i] = n
		}
		return converted, nil
	}
	return function.New(&function.Spec{
		Description: f.Description(), Params: params, VarParam: more,
		Type: func(args []cty.Value) (cty.Type, error) {
			args, err := convertAll(args)
			if err != nil {
				return cty.DynamicPseudoType, err
			}
			t, err := f.ReturnTypeForValues(args)
			return t, withoutStack(err)
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			args, err := convertAll(args)
			if err != nil {
				return cty.DynamicVal, err
			}
			value, err := f.Call(args)
			if err == nil && value.IsWhollyKnown() && tooLarge(value) {
				return cty.DynamicVal, errors.New("the result is too large, or holds " + errHugeNumber.Error())
			}
			return value, withoutStack(err)
		},
	})
}

// withoutStack takes the insides of the library out of an error: some functions
// fall over values that they cannot compute with, as log does over 0.
func withoutStack(err error) error {
	if _, fell := errors.AsType[function.PanicError](err); fell {
		return errors.New("these values have no result")
	}
	return err
}

func numberError(err error) string {
	if errors.Is(err, errHugeNumber) {
		return err.Error()
	}
	return fmt.Sprintf("a number is required (%s)", err)
}

// guardedOperation leaves logic alone, and what is guarded already.
func guardedOperation(op *hclsyntax.Operation) *hclsyntax.Operation {
	if params := op.Impl.Params(); len(params) == 0 || params[0].Type != cty.Number {
		return op
	}
	return &hclsyntax.Operation{Impl: guarded(op.Impl), Type: op.Type}
}
