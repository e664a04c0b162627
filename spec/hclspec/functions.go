package hclspec

import (
	"maps"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// functions is what expressions may call. Every one is pure, but for those
// that read files below the estate's folder and record what they read. There
// is no timestamp and no env: a plan must come out the same twice.
func (l *loader) functions() map[string]function.Function {
	if l.calls != nil {
		return l.calls
	}
	l.calls = map[string]function.Function{}
	for _, group := range []map[string]function.Function{
		collectionFunctions(), textFunctions(), numberFunctions(), conversionFunctions(), networkFunctions(), l.fileFunctions(),
	} {
		maps.Copy(l.calls, group)
	}
	for name, f := range l.calls {
		l.calls[name] = guarded(f)
	}
	l.calls[countLoops] = l.loopCounter()
	return l.calls
}

// functionNames lists what people can call.
func (l *loader) functionNames() []string {
	names := keys(l.functions())
	return names[1:] // countLoops sorts first
}

func collectionFunctions() map[string]function.Function {
	return map[string]function.Function{
		"alltrue":         allOf(true),
		"anytrue":         allOf(false),
		"chunklist":       stdlib.ChunklistFunc,
		"coalesce":        stdlib.CoalesceFunc,
		"coalescelist":    stdlib.CoalesceListFunc,
		"compact":         stdlib.CompactFunc,
		"concat":          stdlib.ConcatFunc,
		"contains":        stdlib.ContainsFunc,
		"distinct":        stdlib.DistinctFunc,
		"element":         stdlib.ElementFunc,
		"flatten":         stdlib.FlattenFunc,
		"index":           indexFunction(),
		"keys":            stdlib.KeysFunc,
		"length":          lengthFunction(),
		"lookup":          stdlib.LookupFunc,
		"matchkeys":       matchkeysFunction(),
		"merge":           stdlib.MergeFunc,
		"one":             oneFunction(),
		"range":           stdlib.RangeFunc,
		"reverse":         stdlib.ReverseListFunc,
		"setintersection": stdlib.SetIntersectionFunc,
		"setproduct":      limited(stdlib.SetProductFunc, productSize),
		"setsubtract":     stdlib.SetSubtractFunc,
		"setunion":        stdlib.SetUnionFunc,
		"slice":           stdlib.SliceFunc,
		"sort":            stdlib.SortFunc,
		"sum":             sumFunction(),
		"transpose":       transposeFunction(),
		"values":          stdlib.ValuesFunc,
		"zipmap":          stdlib.ZipmapFunc,
	}
}

func textFunctions() map[string]function.Function {
	return map[string]function.Function{
		"chomp":        stdlib.ChompFunc,
		"endswith":     textTest("Whether a text ends with another.", "suffix", hasSuffix),
		"format":       limited(stdlib.FormatFunc, formatSize),
		"formatdate":   stdlib.FormatDateFunc,
		"formatlist":   limited(stdlib.FormatListFunc, formatSize),
		"indent":       limited(stdlib.IndentFunc, indentSize),
		"join":         limited(stdlib.JoinFunc, joinSize),
		"lower":        stdlib.LowerFunc,
		"regex":        stdlib.RegexFunc,
		"regexall":     stdlib.RegexAllFunc,
		"regexreplace": limited(stdlib.RegexReplaceFunc, replaceSize),
		"replace":      replaceFunction(),
		"split":        stdlib.SplitFunc,
		"startswith":   textTest("Whether a text begins with another.", "prefix", hasPrefix),
		"strcontains":  textTest("Whether a text contains another.", "part", containsText),
		"strrev":       stdlib.ReverseFunc,
		"substr":       stdlib.SubstrFunc,
		"timeadd":      stdlib.TimeAddFunc,
		"timecmp":      timecmpFunction(),
		"title":        stdlib.TitleFunc,
		"trim":         stdlib.TrimFunc,
		"trimprefix":   stdlib.TrimPrefixFunc,
		"trimspace":    stdlib.TrimSpaceFunc,
		"trimsuffix":   stdlib.TrimSuffixFunc,
		"upper":        stdlib.UpperFunc,
	}
}

func numberFunctions() map[string]function.Function {
	return map[string]function.Function{
		"abs":      stdlib.AbsoluteFunc,
		"ceil":     stdlib.CeilFunc,
		"floor":    stdlib.FloorFunc,
		"log":      stdlib.LogFunc,
		"max":      stdlib.MaxFunc,
		"min":      stdlib.MinFunc,
		"parseint": stdlib.ParseIntFunc,
		"pow":      stdlib.PowFunc,
		"signum":   stdlib.SignumFunc,
	}
}

func conversionFunctions() map[string]function.Function {
	return map[string]function.Function{
		"base64decode": encoding("The text that base64 stands for.", fromBase64),
		"base64encode": encoding("A text in base64.", toBase64),
		"can":          tryfunc.CanFunc,
		"csvdecode":    stdlib.CSVDecodeFunc,
		"jsondecode":   stdlib.JSONDecodeFunc,
		"jsonencode":   stdlib.JSONEncodeFunc,
		"sha256":       encoding("The SHA-256 of a text, in lower-case hex.", sha256Hex),
		"sha512":       encoding("The SHA-512 of a text, in lower-case hex.", sha512Hex),
		"tobool":       stdlib.MakeToFunc(cty.Bool),
		"tolist":       stdlib.MakeToFunc(cty.List(cty.DynamicPseudoType)),
		"tomap":        stdlib.MakeToFunc(cty.Map(cty.DynamicPseudoType)),
		"tonumber":     stdlib.MakeToFunc(cty.Number),
		"toset":        stdlib.MakeToFunc(cty.Set(cty.DynamicPseudoType)),
		"tostring":     stdlib.MakeToFunc(cty.String),
		"try":          tryfunc.TryFunc,
		"urlencode":    encoding("A text as part of a URL's query.", urlEncode),
	}
}

func parseExpression(text string) (hclsyntax.Expression, hcl.Diagnostics) {
	return hclsyntax.ParseExpression([]byte(text), "--var", hcl.InitialPos)
}
