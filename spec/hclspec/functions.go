package hclspec

import (
	"regexp"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// functions is what expressions may call. Every one is pure, but for file,
// which reads below the estate's folder and records what it read. There is no
// timestamp and no env: a plan must come out the same twice.
func (l *loader) functions() map[string]function.Function {
	if l.calls != nil {
		return l.calls
	}
	l.calls = map[string]function.Function{
		"can":        tryfunc.CanFunc,
		"coalesce":   stdlib.CoalesceFunc,
		"concat":     stdlib.ConcatFunc,
		"contains":   stdlib.ContainsFunc,
		"distinct":   stdlib.DistinctFunc,
		"element":    stdlib.ElementFunc,
		"file":       l.fileFunction(),
		"flatten":    stdlib.FlattenFunc,
		"format":     formatFunction(),
		"join":       stdlib.JoinFunc,
		"jsondecode": stdlib.JSONDecodeFunc,
		"jsonencode": stdlib.JSONEncodeFunc,
		"keys":       stdlib.KeysFunc,
		"length":     stdlib.LengthFunc,
		"lookup":     stdlib.LookupFunc,
		"lower":      stdlib.LowerFunc,
		"merge":      stdlib.MergeFunc,
		"regex":      stdlib.RegexFunc,
		"replace":    stdlib.ReplaceFunc,
		"sort":       stdlib.SortFunc,
		"split":      stdlib.SplitFunc,
		"toset":      stdlib.MakeToFunc(cty.Set(cty.DynamicPseudoType)),
		"tonumber":   stdlib.MakeToFunc(cty.Number),
		"tostring":   stdlib.MakeToFunc(cty.String),
		"trimprefix": stdlib.TrimPrefixFunc,
		"trimspace":  stdlib.TrimSpaceFunc,
		"trimsuffix": stdlib.TrimSuffixFunc,
		"try":        tryfunc.TryFunc,
		"upper":      stdlib.UpperFunc,
		"values":     stdlib.ValuesFunc,
	}
	for name, f := range l.calls {
		l.calls[name] = guarded(f)
	}
	return l.calls
}

func (l *loader) fileFunction() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "path", Type: cty.String}},
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			name := args[0].AsString()
			text, err := l.read(name)
			if err != nil {
				return cty.UnknownVal(cty.String), function.NewArgErrorf(0, "%q: %s", name, plainError(err))
			}
			if !utf8.Valid(text) {
				return cty.UnknownVal(cty.String), function.NewArgErrorf(0, "%q: not UTF-8 text", name)
			}
			return cty.StringVal(string(text)), nil
		},
	})
}

var hugeWidth = regexp.MustCompile(`%[^a-zA-Z%]*[0-9]{4}`)

// formatFunction is format with widths and precisions below 1000, since the
// library would fill the memory with blanks.
func formatFunction() function.Function {
	return function.New(&function.Spec{
		Params: stdlib.FormatFunc.Params(), VarParam: stdlib.FormatFunc.VarParam(),
		Type: function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if hugeWidth.MatchString(args[0].AsString()) {
				return cty.UnknownVal(cty.String), function.NewArgErrorf(0, "a width above 999")
			}
			return stdlib.FormatFunc.Call(args)
		},
	})
}

func parseExpression(text string) (hclsyntax.Expression, hcl.Diagnostics) {
	return hclsyntax.ParseExpression([]byte(text), "--var", hcl.InitialPos)
}
