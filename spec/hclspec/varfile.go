package hclspec

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/hashicorp/hcl/v2/json"
	"github.com/zclconf/go-cty/cty"

	"pki.internal/spec"
)

// ParseVariables reads a file of values: name = value lines, or one JSON
// object when its name ends in .json. It gives them as --var would. Values
// stand for themselves and refer to nothing.
func ParseVariables(text []byte, name string) (map[string]string, spec.Diagnostics) {
	l := &loader{shapes: shapes{}, vars: map[string]*variable{}, locals: map[string]*node{}, blocks: map[spec.Address]*block{}}
	values := map[string]string{}
	inJSON := strings.HasSuffix(name, ".json")
	check, parse := tooDeep, hclParse
	if inJSON {
		check, parse = jsonTooDeep, json.Parse
	}
	if len(text) > maxFile {
		l.say("File that cannot be read", "%s is larger than %d MiB. Give a file of values.", name, maxFile>>20)
		return nil, l.diags
	}
	if at, deep := check(text, name); deep {
		l.tooDeep(at)
		return nil, l.diags
	}
	file, diags := parse(text, name)
	l.reportHCL(diags)
	if diags.HasErrors() {
		return nil, l.diags.Sorted()
	}
	attributes, diags := file.Body.JustAttributes()
	l.reportHCL(diags)
	for _, word := range keys(attributes) {
		expr := l.nativeExpression(attributes[word].Expr, false)
		value, ok := l.evaluate(expr)
		switch {
		case !ok:
		case value.IsNull():
			l.report(expr.Range(), "Invalid value for a variable", "null is no value to give. Leave %s out, and its default counts.", word)
		case value.Type() == cty.String:
			values[word] = value.AsString()
		default:
			values[word] = string(hclwrite.TokensForValue(value).Bytes())
		}
	}
	return values, l.diags.Sorted()
}

func hclParse(text []byte, name string) (*hcl.File, hcl.Diagnostics) {
	return hclsyntax.ParseConfig(text, name, hcl.InitialPos)
}
