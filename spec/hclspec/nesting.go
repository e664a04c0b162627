package hclspec

import (
	"errors"
	"math/big"
	"regexp"
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
	maxText     = 4 << 20 // bytes of a computed string
	maxMembers  = 100_000 // of a computed value, at all depths together
	maxChain    = 2_000   // values that refer to one another in a row
)

// bracket is an open bracket and how many operators follow one another in it.
type bracket struct {
	operators int
	lines     bool // a new line ends an expression in it
}

// nesting counts what stands inside one another at one place of a text.
type nesting struct {
	open  []bracket
	total int
	deep  bool // it was more than maxNesting
}

func newNesting() *nesting { return &nesting{open: []bracket{{lines: true}}} }

func (n *nesting) push(lines bool) {
	n.open = append(n.open, bracket{operators: 1, lines: lines})
	n.total++
	n.deep = n.deep || n.total > maxNesting
}

// pop closes a bracket. One that is no quote counts like an operator of what
// it stands in, because a[0][0] and f()() nest, too.
func (n *nesting) pop(counts bool) {
	if len(n.open) == 1 {
		return
	}
	n.total -= n.open[len(n.open)-1].operators
	n.open = n.open[:len(n.open)-1]
	if counts {
		n.operator()
	}
}

func (n *nesting) operator() {
	n.open[len(n.open)-1].operators++
	n.total++
	n.deep = n.deep || n.total > maxNesting
}

// comma ends an expression.
func (n *nesting) comma() {
	top := &n.open[len(n.open)-1]
	n.total -= top.operators
	top.operators = 0
}

// newline ends an expression where lines count.
func (n *nesting) newline() {
	if n.open[len(n.open)-1].lines {
		n.comma()
	}
}

// token counts the first of the tokens, and reports when it is too much.
func (n *nesting) token(tokens hclsyntax.Tokens) bool {
	t := tokens[0]
	switch {
	case opens(t.Type):
		n.push(t.Type == hclsyntax.TokenOBrace && !beginsFor(tokens[1:]))
	case closes(t.Type) && len(n.open) > 1:
		n.pop(t.Type != hclsyntax.TokenCQuote)
	case t.Type == hclsyntax.TokenComma:
		n.comma()
	case endsLine(t) && n.open[len(n.open)-1].lines:
		n.comma()
	case operates(t.Type):
		n.operator()
	case t.Type == hclsyntax.TokenNumberLit && hugeNumber(string(t.Bytes)):
		n.deep = true
	}
	return n.deep
}

// tokens counts a stretch of text from a place at which no string is open.
func (n *nesting) tokens(text []byte, name string, start hcl.Pos) (hcl.Range, bool) {
	tokens, _ := hclsyntax.LexConfig(text, name, start) // the parser reports what is wrong with them
	for i, t := range tokens {
		if n.token(tokens[i:]) {
			return t.Range, true
		}
	}
	return hcl.Range{}, false
}

// tooDeep finds the place at which a text nests deeper than the parser may
// follow, or holds a number that would fill the memory when written out.
func tooDeep(text []byte, name string) (hcl.Range, bool) {
	return newNesting().tokens(text, name, hcl.InitialPos)
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

// numeric is how a text is written that can become a number.
var numeric = regexp.MustCompile(`^[+-]?[0-9.]+([eE][+-]?[0-9]+)?$`)

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
