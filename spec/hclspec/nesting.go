package hclspec

import (
	"errors"
	"math/big"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// Limits of an expression. The HCL library recurses for every bracket and
// every operator, and a Go program that exhausts its stack cannot be saved;
// cty writes numbers out digit by digit.
const (
	maxNesting  = 500     // brackets and operators inside one another
	maxExponent = 400     // decimal, as written; float64 ends at 308
	maxBits     = 1 << 14 // binary exponent of a computed number
	maxText     = maxFile // bytes of a computed string
	maxMembers  = 100_000 // of a computed value, at all depths together
)

// bracket is an open bracket and how many operators follow one another in it.
type bracket struct {
	operators int
	lines     bool // a new line ends an expression in it
}

// tooDeep finds the place at which a text nests deeper than the parser may
// follow, or holds a number that would fill the memory when written out.
func tooDeep(text []byte, name string) (hcl.Range, bool) {
	tokens, _ := hclsyntax.LexConfig(text, name, hcl.InitialPos) // the parser reports what is wrong with them
	open, total := []bracket{{lines: true}}, 0
	for i, t := range tokens {
		top := &open[len(open)-1]
		switch {
		case opens(t.Type):
			open = append(open, bracket{operators: 1, lines: t.Type == hclsyntax.TokenOBrace && !beginsFor(tokens[i+1:])})
			total++
		case closes(t.Type) && len(open) > 1:
			total -= top.operators
			open = open[:len(open)-1]
			if t.Type != hclsyntax.TokenCQuote { // a[0][0] and f()() nest, too
				open[len(open)-1].operators++
				total++
			}
		case t.Type == hclsyntax.TokenComma || top.lines && endsLine(t):
			total -= top.operators
			top.operators = 0
		case operates(t.Type):
			top.operators++
			total++
		case t.Type == hclsyntax.TokenNumberLit && hugeNumber(string(t.Bytes)):
			return t.Range, true
		}
		if total > maxNesting {
			return t.Range, true
		}
	}
	return hcl.Range{}, false
}

// beginsFor reports a { for … } expression, in which new lines mean nothing.
func beginsFor(tokens hclsyntax.Tokens) bool {
	for _, t := range tokens {
		if !endsLine(t) {
			return t.Type == hclsyntax.TokenIdent && string(t.Bytes) == "for"
		}
	}
	return false
}

// endsLine reports a new line; a comment up to the end of a line holds it.
func endsLine(t hclsyntax.Token) bool {
	return t.Type == hclsyntax.TokenNewline || t.Type == hclsyntax.TokenComment && strings.HasSuffix(string(t.Bytes), "\n")
}

func opens(t hclsyntax.TokenType) bool {
	switch t {
	case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenOQuote,
		hclsyntax.TokenOHeredoc, hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
		return true
	}
	return false
}

func closes(t hclsyntax.TokenType) bool {
	switch t {
	case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenCQuote,
		hclsyntax.TokenCHeredoc, hclsyntax.TokenTemplateSeqEnd:
		return true
	}
	return false
}

func operates(t hclsyntax.TokenType) bool {
	switch t {
	case hclsyntax.TokenBang, hclsyntax.TokenMinus, hclsyntax.TokenPlus, hclsyntax.TokenStar, hclsyntax.TokenSlash,
		hclsyntax.TokenPercent, hclsyntax.TokenAnd, hclsyntax.TokenOr, hclsyntax.TokenEqualOp, hclsyntax.TokenNotEqual,
		hclsyntax.TokenLessThan, hclsyntax.TokenLessThanEq, hclsyntax.TokenGreaterThan, hclsyntax.TokenGreaterThanEq,
		hclsyntax.TokenQuestion, hclsyntax.TokenColon, hclsyntax.TokenDot:
		return true
	}
	return false
}

func hugeNumber(s string) bool {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(s), "e")
	exponent = strings.TrimLeft(strings.TrimLeft(exponent, "+-"), "0")
	if len(mantissa) > maxExponent || len(exponent) > 3 {
		return true
	}
	n, _ := new(big.Int).SetString("0"+exponent, 10)
	return n != nil && n.Int64() > maxExponent
}

var errTooLarge = errors.New("value is too large")

// tooLarge reports a value that an expression has blown up.
func tooLarge(v cty.Value) bool {
	members, large := 0, false
	err := cty.Walk(v, func(_ cty.Path, part cty.Value) (bool, error) {
		members++
		switch {
		case !part.IsKnown() || part.IsNull():
		case part.Type() == cty.String:
			large = large || len(part.AsString()) > maxText
		case part.Type() == cty.Number:
			exponent := part.AsBigFloat().MantExp(nil)
			large = large || part.AsBigFloat().IsInf() || exponent > maxBits || exponent < -maxBits
		}
		if large || members > maxMembers {
			large = true
			return false, errTooLarge
		}
		return true, nil
	})
	return large || err != nil
}
