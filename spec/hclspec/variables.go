package hclspec

import (
	"reflect"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"pki.internal/spec"
)

// evaluateVariables gives every declared variable its value from given, or
// its default, and holds it against its validations.
func (l *loader) evaluateVariables(given map[string]string) {
	for _, b := range l.order {
		if b.word == "variable" {
			l.vars[b.address.Name] = &variable{value: cty.DynamicVal}
		}
	}
	for _, name := range keys(given) {
		if l.vars[name] == nil {
			l.say("Value for an undeclared variable", "--var %s: no variable %q is declared.%s", name, name, suggest(name, keys(l.vars), "Leave it out, or declare it."))
		}
	}
	for _, b := range l.order {
		if b.word != "variable" {
			continue
		}
		text, isGiven := given[b.address.Name]
		l.at = b.address
		l.evaluateVariable(b, text, isGiven)
	}
	l.at = spec.Address{}
}

func (l *loader) evaluateVariable(b *block, text string, given bool) {
	raw := new(rawVariable)
	l.decodeBlock(reflect.ValueOf(raw).Elem(), b)
	l.at = b.address
	if b.faulty {
		return
	}
	want, defaults := cty.DynamicPseudoType, (*typeexpr.Defaults)(nil)
	if raw.Type != nil {
		if !l.plainType(raw.Type) {
			return
		}
		t, d, diags := typeexpr.TypeConstraintWithDefaults(raw.Type)
		l.reportHCL(diags)
		if diags.HasErrors() {
			return
		}
		want, defaults = t, d
	}
	value, written := cty.NilVal, b.rng
	if raw.Default != nil {
		value, written = l.variableDefault(raw.Default), raw.Default.Range()
	}
	switch {
	case given:
		value, written = l.variableText(b, text, want), b.rng
	case raw.Default == nil:
		l.report(b.rng, "Variable without a value", "It is declared without a default, and no value was given. Give one with --var %s=…, or write a default.", b.address.Name)
	}
	if value == cty.NilVal {
		return
	}
	if defaults != nil && !value.IsNull() { // what optional(TYPE, DEFAULT) says
		value = defaults.Apply(value)
	}
	converted, err := convert.Convert(value, want)
	if err != nil {
		l.report(written, "Invalid value for a variable", "The value of var.%s does not fit its type: %s. Give a value of type %s, or change the type.", b.address.Name, err, typeexpr.TypeString(want))
		return
	}
	if raw.Nullable != nil && !*raw.Nullable && converted.IsNull() {
		l.report(written, "Invalid value for a variable", "var.%s is null, and nullable = false forbids that. Give a value, or write a default.", b.address.Name)
		return
	}
	if tooLarge(converted) { // "1e99999999" has become a number just now
		l.report(written, "Value out of bounds", "The value of var.%s is longer than %d MiB, has more than %d members, or holds %s. Give a smaller one.", b.address.Name, maxText>>20, maxMembers, errHugeNumber)
		return
	}
	v := l.vars[b.address.Name]
	v.value, v.ok = converted, true
	for _, validation := range raw.Validation {
		v.ok = l.checkVariable(b, validation, converted) && v.ok
	}
}

// plainType refuses a type whose optional(TYPE, DEFAULT) computes: the library
// evaluates such defaults by itself, without our bounds.
func (l *loader) plainType(expr hcl.Expression) bool {
	native, ok := expr.(hclsyntax.Expression)
	if !ok {
		return true
	}
	before := l.faults
	hclsyntax.VisitAll(native, func(n hclsyntax.Node) hcl.Diagnostics {
		switch e := n.(type) {
		case *hclsyntax.ForExpr, *hclsyntax.BinaryOpExpr, *hclsyntax.ConditionalExpr, *hclsyntax.SplatExpr, *hclsyntax.IndexExpr, *hclsyntax.TemplateWrapExpr:
			l.report(n.Range(), "Default that is not constant", "The default in optional(TYPE, DEFAULT) is written out and computes nothing. Write the value itself.")
		case *hclsyntax.LiteralValueExpr:
			if e.Val.Type() == cty.String && numeric.MatchString(e.Val.AsString()) && hugeNumber(e.Val.AsString()) {
				l.report(n.Range(), "Value out of bounds", "This is %s. Write a smaller one.", errHugeNumber)
			}
		}
		return nil
	})
	return l.faults == before
}

// variableDefault gives a default its value, cty.NilVal when it has none.
func (l *loader) variableDefault(expr hcl.Expression) cty.Value {
	if len(expr.Variables()) > 0 {
		l.report(expr.Range(), "Default that is not constant", "Variables are known before everything else, so a default can refer to nothing. Write the value itself, or put the expression into a local.")
		return cty.NilVal
	}
	value, ok := l.evaluate(expr)
	if !ok {
		return cty.NilVal
	}
	return value
}

// variableText reads a value from the command line: a plain string where a
// string is wanted, an HCL expression otherwise.
func (l *loader) variableText(b *block, text string, want cty.Type) cty.Value {
	if text == "null" && want != cty.DynamicPseudoType && want != cty.String {
		return cty.NullVal(want)
	}
	if want == cty.DynamicPseudoType || want.IsPrimitiveType() {
		return cty.StringVal(text)
	}
	if _, deep := tooDeep([]byte(text), "--var"); !deep {
		expr, diags := parseExpression(text)
		if !diags.HasErrors() {
			l.guard(expr)
			if v, more := expr.Value(nil); !more.HasErrors() && v.IsWhollyKnown() && !tooLarge(v) {
				return v
			}
		}
	}
	l.report(b.rng, "Invalid value for a variable", "--var %s=%s is not a value. Write it as in HCL, such as [\"a\", \"b\"].", b.address.Name, text)
	return cty.NilVal
}

func (l *loader) checkVariable(b *block, check rawValidation, value cty.Value) bool {
	ctx := &hcl.EvalContext{
		Variables: map[string]cty.Value{"var": cty.ObjectVal(map[string]cty.Value{b.address.Name: value})},
		Functions: l.functions(),
	}
	l.guard(check.Condition)
	l.guard(check.ErrorMessage)
	passes, diags := check.Condition.Value(ctx)
	message, more := check.ErrorMessage.Value(ctx)
	l.reportHCL(append(diags, more...))
	if diags.HasErrors() || more.HasErrors() {
		return false
	}
	passes, err := convert.Convert(passes, cty.Bool)
	if err != nil || passes.IsNull() || !passes.IsKnown() {
		l.report(check.Condition.Range(), "Validation that cannot decide", "The condition must be true or false. Write a comparison, or can(…).")
		return false
	}
	if message.Type() != cty.String || message.IsNull() || !message.IsKnown() || strings.TrimSpace(message.AsString()) == "" {
		l.report(check.ErrorMessage.Range(), "Validation without a message", "Whoever gives a bad value reads error_message. Write a sentence that says what a good value is.")
		return false
	}
	if passes.False() {
		sentence := strings.TrimSpace(message.AsString())
		if !strings.HasSuffix(sentence, ".") && !strings.HasSuffix(sentence, "?") && !strings.HasSuffix(sentence, "!") {
			sentence += "."
		}
		at := check.Condition.Range()
		l.report(b.rng, "Invalid value for a variable", "%s The validation at %s line %d refuses the value of var.%s. Give another with --var %s=…, or change the default.",
			sentence, at.Filename, at.Start.Line, b.address.Name, b.address.Name)
	}
	return passes.True()
}
