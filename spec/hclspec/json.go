package hclspec

import (
	"reflect"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// native puts the JSON expressions of a body into the form that the native
// syntax has, so that everything after is the same for both.
func (l *loader) native(content *hcl.BodyContent, s *shape) {
	for name, a := range content.Attributes {
		f, _ := s.named(name)
		a.Expr = l.nativeExpression(a.Expr, f.isRef() || f.goType == reflect.TypeFor[hcl.Expression]() && slices.Contains([]string{"type", "from", "to"}, name))
	}
}

// nativeExpression reads strings as templates, or, where code is wanted, as
// expressions: "authority.root" or "${authority.root}".
func (l *loader) nativeExpression(expr hcl.Expression, code bool) hcl.Expression {
	if _, is := expr.(hclsyntax.Expression); is {
		return expr
	}
	raw, diags := expr.Value(nil) // strings come out as they are written
	l.reportHCL(diags)
	if diags.HasErrors() {
		return &hclsyntax.LiteralValueExpr{Val: cty.DynamicVal, SrcRange: expr.Range()}
	}
	return l.fromJSON(expr, raw, code)
}

func (l *loader) fromJSON(expr hcl.Expression, raw cty.Value, code bool) hclsyntax.Expression {
	at := expr.Range()
	switch {
	case raw.IsNull():
	case raw.Type() == cty.String:
		return l.fromString(raw.AsString(), at, code)
	case raw.Type().IsTupleType():
		members, _ := hcl.ExprList(expr)
		list := &hclsyntax.TupleConsExpr{SrcRange: at, OpenRange: at}
		for i, member := range members {
			list.Exprs = append(list.Exprs, l.fromJSON(member, raw.Index(cty.NumberIntVal(int64(i))), code))
		}
		return list
	case raw.Type().IsObjectType():
		pairs, _ := hcl.ExprMap(expr)
		object := &hclsyntax.ObjectConsExpr{SrcRange: at, OpenRange: at}
		for _, pair := range pairs {
			key, _ := pair.Key.Value(nil)
			value, _ := pair.Value.Value(nil)
			object.Items = append(object.Items, hclsyntax.ObjectConsItem{
				KeyExpr:   &hclsyntax.ObjectConsKeyExpr{Wrapped: l.fromJSON(pair.Key, key, false), ForceNonLiteral: true},
				ValueExpr: l.fromJSON(pair.Value, value, code),
			})
		}
		return object
	}
	return &hclsyntax.LiteralValueExpr{Val: raw, SrcRange: at}
}

// fromString reads the text of a JSON string. Its place is exact as long as
// nothing before it is escaped.
func (l *loader) fromString(text string, at hcl.Range, code bool) hclsyntax.Expression {
	plain := &hclsyntax.LiteralValueExpr{Val: cty.StringVal(text), SrcRange: at}
	start := at.Start
	start.Byte, start.Column = start.Byte+1, start.Column+1
	template := strings.Contains(text, "${") || strings.Contains(text, "%{")
	switch {
	case code:
		if inner, ok := strings.CutPrefix(text, "${"); ok && strings.HasSuffix(inner, "}") {
			text = strings.TrimSuffix(inner, "}")
			start.Byte, start.Column = start.Byte+2, start.Column+2
		}
	case !template:
		return plain
	}
	tokens, _ := hclsyntax.LexTemplate([]byte(text), at.Filename, start)
	if code {
		tokens, _ = hclsyntax.LexExpression([]byte(text), at.Filename, start)
	}
	nest := newNesting()
	for i := range tokens {
		if nest.token(tokens[i:]) {
			l.tooDeep(at)
			return plain
		}
	}
	parse := hclsyntax.ParseTemplate
	if code {
		parse = hclsyntax.ParseExpression
	}
	expr, diags := parse([]byte(text), at.Filename, start)
	l.reportHCL(diags)
	if diags.HasErrors() {
		return &hclsyntax.LiteralValueExpr{Val: cty.DynamicVal, SrcRange: at}
	}
	return expr
}

// jsonTooDeep finds the place at which JSON nests deeper than the parser may
// follow, or holds a number that would fill the memory when written out.
func jsonTooDeep(text []byte, name string) (hcl.Range, bool) {
	depth, line, begin := 0, 1, 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\n':
			line, begin = line+1, i+1
		case c == '"':
			for i++; i < len(text) && text[i] != '"' && text[i] != '\n'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
		case c == '[' || c == '{':
			depth++
		case c == ']' || c == '}':
			depth--
		case isDigit(c):
			from := i
			for i+1 < len(text) && (isDigit(text[i+1]) || strings.IndexByte(".eE+-", text[i+1]) >= 0) {
				i++
			}
			if hugeNumber(string(text[from : i+1])) {
				depth = maxNesting + 1
			}
		}
		if depth > maxNesting {
			at := hcl.Pos{Line: line, Column: i - begin + 1, Byte: i}
			return hcl.Range{Filename: name, Start: at, End: at}, true
		}
	}
	return hcl.Range{}, false
}
