package hclspec

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// sequence says whether a value is a list, a tuple or a set.
func sequence(v cty.Value) error {
	if t := v.Type(); !t.IsListType() && !t.IsTupleType() && !t.IsSetType() {
		return fmt.Errorf("a list is required, and this is %s", describe(v))
	}
	return nil
}

// indexFunction gives the place of a value in a list.
func indexFunction() function.Function {
	return function.New(&function.Spec{
		Description: "The place of a value in a list, counted from 0.",
		Params:      []function.Parameter{{Name: "list", Type: cty.DynamicPseudoType}, {Name: "value", Type: cty.DynamicPseudoType}},
		Type:        function.StaticReturnType(cty.Number),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if err := sequence(args[0]); err != nil {
				return cty.DynamicVal, function.NewArgError(0, err)
			}
			for i, member := range args[0].AsValueSlice() {
				if equal, err := stdlib.Equal(member, args[1]); err == nil && equal.IsKnown() && equal.True() {
					return cty.NumberIntVal(int64(i)), nil
				}
			}
			return cty.DynamicVal, function.NewArgErrorf(1, "the list has no such member")
		},
	})
}

// oneFunction gives the only member of a list, or null of an empty one.
func oneFunction() function.Function {
	return function.New(&function.Spec{
		Description: "The only member of a list, or null when the list is empty.",
		Params:      []function.Parameter{{Name: "list", Type: cty.DynamicPseudoType}},
		Type: func(args []cty.Value) (cty.Type, error) {
			if err := sequence(args[0]); err != nil {
				return cty.DynamicPseudoType, function.NewArgError(0, err)
			}
			if members := args[0].AsValueSlice(); len(members) == 1 {
				return members[0].Type(), nil
			}
			return cty.DynamicPseudoType, nil
		},
		Impl: func(args []cty.Value, want cty.Type) (cty.Value, error) {
			switch members := args[0].AsValueSlice(); len(members) {
			case 0:
				return cty.NullVal(want), nil
			case 1:
				return members[0], nil
			default:
				return cty.DynamicVal, function.NewArgErrorf(0, "it has %d members, and one at most is expected", len(members))
			}
		},
	})
}

// sumFunction adds numbers.
func sumFunction() function.Function {
	return function.New(&function.Spec{
		Description: "The sum of a list of numbers.",
		Params:      []function.Parameter{{Name: "list", Type: cty.DynamicPseudoType}},
		Type:        function.StaticReturnType(cty.Number),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if err := sequence(args[0]); err != nil {
				return cty.DynamicVal, function.NewArgError(0, err)
			}
			sum := cty.Zero
			for _, member := range args[0].AsValueSlice() {
				n, err := number(member)
				if err == nil && n.IsNull() {
					err = errors.New("a member is null")
				}
				if err != nil {
					return cty.DynamicVal, function.NewArgErrorf(0, "%s", numberError(err))
				}
				sum = sum.Add(n)
			}
			return sum, nil
		},
	})
}

// transposeFunction turns a map of lists of strings inside out.
func transposeFunction() function.Function {
	lists := cty.Map(cty.List(cty.String))
	return function.New(&function.Spec{
		Description: "A map of lists turned inside out: what each member belongs to.",
		Params:      []function.Parameter{{Name: "map", Type: lists}},
		Type:        function.StaticReturnType(lists),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			inside := map[string][]cty.Value{}
			for it := args[0].ElementIterator(); it.Next(); {
				key, members := it.Element()
				if members.IsNull() {
					return cty.DynamicVal, function.NewArgErrorf(0, "the list of %q is null", shorten(key.AsString()))
				}
				for _, member := range members.AsValueSlice() {
					if member.IsNull() {
						return cty.DynamicVal, function.NewArgErrorf(0, "a member of %q is null", shorten(key.AsString()))
					}
					inside[member.AsString()] = append(inside[member.AsString()], key)
				}
			}
			if len(inside) == 0 {
				return cty.MapValEmpty(cty.List(cty.String)), nil
			}
			turned := map[string]cty.Value{}
			for member, names := range inside {
				turned[member] = cty.ListVal(names)
			}
			return cty.MapVal(turned), nil
		},
	})
}

// matchkeysFunction picks members of one list by those of another.
func matchkeysFunction() function.Function {
	return function.New(&function.Spec{
		Description: "Those members of a list whose partner in a second list is in a third.",
		Params: []function.Parameter{
			{Name: "values", Type: cty.List(cty.DynamicPseudoType)}, {Name: "keys", Type: cty.List(cty.String)}, {Name: "wanted", Type: cty.List(cty.String)},
		},
		Type: func(args []cty.Value) (cty.Type, error) { return args[0].Type(), nil },
		Impl: func(args []cty.Value, want cty.Type) (cty.Value, error) {
			values, keys, wanted := args[0].AsValueSlice(), args[1].AsValueSlice(), args[2].AsValueSlice()
			if len(values) != len(keys) {
				return cty.DynamicVal, function.NewArgErrorf(1, "both lists must have the same length, and they have %d and %d", len(values), len(keys))
			}
			var picked []cty.Value
			for i, key := range keys {
				if slices.ContainsFunc(wanted, key.RawEquals) {
					picked = append(picked, values[i])
				}
			}
			if len(picked) == 0 {
				return cty.ListValEmpty(want.ElementType()), nil
			}
			return cty.ListVal(picked), nil
		},
	})
}

// replaceFunction takes a pattern between slashes for a regular expression,
// as Terraform does.
func replaceFunction() function.Function {
	return function.New(&function.Spec{
		Description: "A text with every place of a part replaced. A part between slashes is a regular expression.",
		Params: []function.Parameter{
			{Name: "text", Type: cty.String}, {Name: "part", Type: cty.String}, {Name: "by", Type: cty.String},
		},
		Type: function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if part := args[1].AsString(); len(part) > 2 && part[0] == '/' && part[len(part)-1] == '/' {
				return limited(stdlib.RegexReplaceFunc, replaceSize).Call([]cty.Value{args[0], cty.StringVal(part[1 : len(part)-1]), args[2]})
			}
			return limited(stdlib.ReplaceFunc, replaceSize).Call(args)
		},
	})
}

func parseTime(text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, fmt.Errorf("%q is not a time such as 2026-12-01T00:00:00Z", shorten(text))
	}
	return t, nil
}

// timecmpFunction compares two times of RFC 3339.
func timecmpFunction() function.Function {
	return function.New(&function.Spec{
		Description: "-1, 0 or 1 when the first of two RFC 3339 times is before, at or after the second.",
		Params:      []function.Parameter{{Name: "one", Type: cty.String}, {Name: "other", Type: cty.String}},
		Type:        function.StaticReturnType(cty.Number),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			one, err := parseTime(args[0].AsString())
			if err != nil {
				return cty.DynamicVal, function.NewArgError(0, err)
			}
			other, err := parseTime(args[1].AsString())
			if err != nil {
				return cty.DynamicVal, function.NewArgError(1, err)
			}
			return cty.NumberIntVal(int64(one.Compare(other))), nil
		},
	})
}
