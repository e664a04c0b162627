package hclspec

import (
	"bytes"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// chunk is a stretch of a file that can be parsed on its own: whole top-level
// items, beginning on a line of their own.
type chunk struct {
	file  string
	text  []byte
	start hcl.Pos
}

// chunkSize is where a file is cut next. Tokens of a chunk take about thirty
// times its size, and are garbage when it is parsed.
const chunkSize = 16 << 10

// scan cuts a file of UTF-8 text into chunks and refuses one that nests deeper
// than the parser may follow. Lexing costs as much as parsing, so lines of the plain
// kind are only looked at byte by byte; from the first line that is not, the
// lexer reads on.
func scan(text []byte, file string) (chunks []chunk, at hcl.Range, deep bool) {
	s := scanner{nest: newNesting(), fresh: true}
	from, line := 0, 1
	begin := hcl.InitialPos
	for from < len(text) {
		end := len(text)
		if i := bytes.IndexByte(text[from:], '\n'); i >= 0 {
			end = from + i + 1
		}
		if !s.line(text[from:end], file) {
			break
		}
		from, line = end, line+1
		if len(s.nest.open) == 1 && from-begin.Byte >= chunkSize {
			chunks = append(chunks, chunk{file, text[begin.Byte:from], begin})
			begin = hcl.Pos{Line: line, Column: 1, Byte: from}
		}
	}
	if from < len(text) && !s.nest.deep {
		at, deep = s.nest.tokens(text[from:], file, hcl.Pos{Line: line, Column: 1, Byte: from})
	}
	if deep || s.nest.deep { // counted generously so far; now exactly
		if at, deep = tooDeep(text, file); deep {
			return nil, at, true
		}
	}
	if rest := text[begin.Byte:]; len(rest) > 0 || len(chunks) == 0 {
		chunks = append(chunks, chunk{file, rest, begin})
	}
	return chunks, hcl.Range{}, false
}

// scanner reads plain lines: no heredoc, no block comment, no string that
// goes on in the next line, no for expression.
type scanner struct {
	nest  *nesting
	fresh bool // nothing but blanks and comments since the last bracket opened

	saved      []bracket // the brackets before the line at hand
	savedTotal int
}

// line counts the brackets and operators of one line. It reports false, and
// has counted nothing, when the line is not of the plain kind.
func (s *scanner) line(text []byte, file string) bool {
	s.saved, s.savedTotal = append(s.saved[:0], s.nest.open...), s.nest.total
	read := false
	if bytes.Contains(text, []byte("${")) || bytes.Contains(text, []byte("%{")) {
		read = s.template(text, file)
	} else {
		read = s.plain(text)
	}
	if read {
		s.nest.newline()
		return true
	}
	s.nest.open, s.nest.total = append(s.nest.open[:0], s.saved...), s.savedTotal
	return false
}

func (s *scanner) plain(text []byte) bool {
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
		case c >= utf8.RuneSelf:
			// Part of a letter, or of what the lexer leaves out: a number may begin
			// behind it.
			i, s.fresh = i+1, false
		case isLetter(c):
			end := i + 1
			for end < len(text) && (isLetter(text[end]) || isDigit(text[end]) || text[end] == '-') {
				end++
			}
			if s.fresh && string(text[i:end]) == "for" {
				return false
			}
			i, s.fresh = end, false
		case isDigit(c):
			end := i + 1
			for end < len(text) && (isDigit(text[end]) || text[end] == '.') {
				end++
			}
			if end-i > maxPlainDigits || end < len(text) && (text[end] == 'e' || text[end] == 'E') {
				return false
			}
			i, s.fresh = end, false
		case c == '"':
			end := stringEnd(text[i:])
			if end == 0 {
				return false
			}
			s.nest.push(false)
			s.nest.pop(false)
			i, s.fresh = i+end, false
		case c == '#' || c == '/' && i+1 < len(text) && text[i+1] == '/':
			return true
		case c == '/' && i+1 < len(text) && text[i+1] == '*', c == '<' && i+1 < len(text) && text[i+1] == '<':
			return false
		default:
			s.mark(c)
			i++
		}
	}
	return true
}

// maxPlainDigits keeps long numbers for the exact check.
const maxPlainDigits = 20

// mark counts one byte that is a bracket or may be part of an operator.
func (s *scanner) mark(c byte) {
	s.fresh = false
	switch c {
	case '{', '[', '(':
		s.nest.push(c == '{')
		s.fresh = true
	case '}', ']', ')':
		s.nest.pop(true)
	case ',':
		s.nest.comma()
	case '!', '-', '+', '*', '/', '%', '&', '|', '=', '<', '>', '?', ':', '.':
		s.nest.operator()
	}
}

// template counts a line that has a template in a string, by the lexer. It
// reports false when a string of the line goes on in the next.
func (s *scanner) template(text []byte, file string) bool {
	tokens, _ := hclsyntax.LexConfig(text, file, hcl.InitialPos)
	depth := 0
	for _, t := range tokens {
		switch t.Type {
		case hclsyntax.TokenOQuote, hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
			depth++
		case hclsyntax.TokenCQuote, hclsyntax.TokenTemplateSeqEnd:
			depth--
		case hclsyntax.TokenOHeredoc:
			return false
		case hclsyntax.TokenComment:
			if bytes.HasPrefix(t.Bytes, []byte("/*")) {
				return false
			}
		case hclsyntax.TokenIdent:
			if string(t.Bytes) == "for" {
				return false
			}
		}
	}
	if depth != 0 {
		return false
	}
	s.fresh = false
	for i, t := range tokens {
		if t.Type == hclsyntax.TokenNewline || t.Type == hclsyntax.TokenEOF {
			break
		}
		if s.nest.token(tokens[i:]) {
			break
		}
	}
	return true
}

// stringEnd finds the end of a string that begins text, 0 when it does not end
// on the line.
func stringEnd(text []byte) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		case '\n':
			return 0
		}
	}
	return 0
}

func isLetter(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
