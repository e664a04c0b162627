package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode/utf8"

	"pki.internal/lint"
	"pki.internal/spec"
)

// Colours. They never say anything that the words do not.
const (
	red    = "31"
	yellow = "33"
)

func (a *app) paint(colour, s string) string {
	if !a.color {
		return s
	}
	return "\x1b[1;" + colour + "m" + s + "\x1b[0m"
}

// printDiagnostics writes what is wrong, each with its line of source.
func (a *app) printDiagnostics(w io.Writer, diags spec.Diagnostics) {
	for _, d := range diags {
		title, colour := "Error:", red
		if d.Severity == spec.Warning {
			title, colour = "Warning:", yellow
		}
		var b strings.Builder
		fmt.Fprintf(&b, "%s %s\n", a.paint(colour, title), d.Summary)
		if d.Range != nil {
			b.WriteString("\n" + a.snippet(d))
		}
		b.WriteString("\n" + wrap(d.Detail, a.width-2, ""))
		fmt.Fprintln(w, a.paint(colour, "╷"))
		for _, line := range strings.Split(strings.TrimRight(b.String(), "\n"), "\n") {
			fmt.Fprintln(w, strings.TrimRight(a.paint(colour, "│")+" "+line, " "))
		}
		fmt.Fprintln(w, a.paint(colour, "╵"))
	}
}

// quoted is a diagnostic with the line of source that it points at.
type quoted struct {
	spec.Diagnostic
	Snippet string `json:"snippet,omitempty"`
}

// quote gives diagnostics for programs: what people see, as data.
func (a *app) quote(diags spec.Diagnostics) []quoted {
	all := make([]quoted, 0, len(diags))
	for _, d := range diags {
		one := quoted{Diagnostic: d}
		if d.Range != nil {
			if line, found := lineAt(a.sources[d.Range.File], d.Range.Start.Byte); found {
				one.Snippet, _, _ = stretch(line, d.Range.Start.Column-1, d.Range.End.Column-1)
			}
		}
		all = append(all, one)
	}
	return all
}

// snippet shows the line that a diagnostic points at, and which part of it.
func (a *app) snippet(d spec.Diagnostic) string {
	r := *d.Range
	var b strings.Builder
	where := ""
	if d.Address != "" {
		where = ", in " + d.Address
	}
	if d.Hidden {
		return fmt.Sprintf("  on %s line %d%s; the line is not shown, because a secret may stand there\n", r.File, r.Start.Line, where)
	}
	fmt.Fprintf(&b, "  on %s line %d%s:\n", r.File, r.Start.Line, where)
	line, found := lineAt(a.sources[r.File], r.Start.Byte)
	if !found {
		return b.String()
	}
	from := min(max(r.Start.Column-1, 0), utf8.RuneCountInString(line))
	to := utf8.RuneCountInString(line)
	if r.End.Line == r.Start.Line {
		to = min(r.End.Column-1, to)
	}
	line, from, to = stretch(line, from, to)
	fmt.Fprintf(&b, "  %3d: %s\n", r.Start.Line, line)
	if to > from {
		pad := strings.Map(func(c rune) rune {
			if c == '\t' {
				return c
			}
			return ' '
		}, string([]rune(line)[:from]))
		fmt.Fprintf(&b, "       %s%s\n", pad, strings.Repeat("^", to-from))
	}
	return b.String()
}

// stretch cuts a line that nobody would read whole down to what is around the
// characters from … to. Bytes that are no text become replacement characters.
func stretch(line string, from, to int) (string, int, int) {
	const most, before = 200, 40
	runes := []rune(strings.ToValidUTF8(line, "\ufffd"))
	if len(runes) <= most {
		return string(runes), min(from, len(runes)), min(to, len(runes))
	}
	begin := max(0, min(from-before, len(runes)-most))
	end := min(len(runes), begin+most)
	text, shift := string(runes[begin:end]), -begin
	if begin > 0 {
		text, shift = "…"+text, shift+1
	}
	if end < len(runes) {
		text += "…"
	}
	return text, max(0, from+shift), max(0, min(to, end)+shift)
}

// lineAt gives the line that holds a byte of a text.
func lineAt(text []byte, at int) (string, bool) {
	if at < 0 || at > len(text) || len(text) == 0 {
		return "", false
	}
	from := bytes.LastIndexByte(text[:at], '\n') + 1
	line, _, _ := bytes.Cut(text[from:], []byte("\n"))
	return strings.TrimPrefix(strings.TrimSuffix(string(line), "\r"), "\ufeff"), true
}

// wrap breaks text at spaces. Lines after the first begin with indent.
func wrap(s string, width int, indent string) string {
	var b strings.Builder
	column := 0
	for i, word := range strings.Fields(s) {
		size := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case column+1+size > width:
			b.WriteString("\n" + indent)
			column = len(indent)
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += size
	}
	return b.String()
}

// hang breaks text that begins in a column of a screen, and begins every other
// line in the same column.
func hang(s string, width, column int) string {
	return strings.ReplaceAll(wrap(s, width-column, ""), "\n", "\n"+strings.Repeat(" ", column))
}

// table aligns cells that are separated by tabs.
func table(w io.Writer, rows ...string) {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(t, row)
	}
	t.Flush()
}

// instant writes a time with its weekday, in UTC.
func instant(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC (Mon)") }

// findingLines writes lint findings, the worst first, one to a line.
func findingLines(findings []lint.Finding) []string {
	lines := make([]string, 0, len(findings))
	for _, f := range findings {
		word := f.Severity.String()
		if f.Waived != "" {
			word = "waived " + word
		}
		line := fmt.Sprintf("%s: %s (%s", word, f.Detail, f.Lint)
		if f.Citation != "" {
			line += ", " + f.Citation
		}
		line += ")"
		if f.Waived != "" {
			line += ": " + f.Waived
		}
		lines = append(lines, line)
	}
	return lines
}

// count writes a number and its noun, in the plural when there are several.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if stem, has := strings.CutSuffix(noun, "y"); has && strings.Trim(stem[len(stem)-1:], "aeou") != "" {
		return fmt.Sprintf("%d %sies", n, stem)
	}
	if strings.HasSuffix(noun, "s") {
		return fmt.Sprintf("%d %ses", n, noun)
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
