package hclspec

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"pki.internal/spec"
)

// report notes an error at a place of the source, in the block that is being
// read.
func (l *loader) report(at hcl.Range, summary, detail string, args ...any) {
	rng := convertRange(at)
	found := spec.Diagnostic{Severity: spec.Error, Summary: summary, Detail: fmt.Sprintf(detail, args...), Range: &rng}
	if l.at != (spec.Address{}) {
		found.Address = l.at.String()
	}
	l.faults++
	l.diags = append(l.diags, found)
}

// reportHCL takes over what the HCL library found, as full sentences that end
// in a next step.
func (l *loader) reportHCL(diags hcl.Diagnostics) {
	for _, one := range diags {
		at := hcl.Range{}
		if one.Subject != nil {
			at = *one.Subject
		}
		switch {
		case strings.HasPrefix(one.Summary, "Unexpected ") && strings.HasSuffix(one.Summary, " block"): // with its name
			one.Summary = "Block where an argument is needed"
		case one.Summary == "Attribute redefined" || one.Summary == "Duplicate attribute definition":
			one.Summary = "Argument set twice"
		}
		detail := advise(one.Summary, placed.ReplaceAllString(one.Detail, "$1 line $2"))
		if call, ok := hcl.DiagnosticExtra[hclsyntax.FunctionCallDiagExtra](one); ok && slices.Contains([]string{"file", "filebase64", "filesha256"}, call.CalledFunctionName()) {
			detail = strings.TrimSuffix(detail, " Correct the call.") + " Name a file below the estate's folder."
		}
		if call, ok := hcl.DiagnosticExtra[hclsyntax.FunctionCallDiagExtra](one); ok && call.CalledFunctionName() == countLoops {
			one.Summary = "Too many loops"
			detail = "The for expressions of the estate go round " + fmt.Sprintf("more than %d times. Loop over fewer members.", maxLoops)
		}
		if call, ok := hcl.DiagnosticExtra[hclsyntax.FunctionCallUnknownDiagExtra](one); ok {
			detail = unknownFunction(call.CalledFunctionName(), l.functionNames())
		}
		l.report(at, one.Summary, "%s", detail)
	}
}

// withoutEchoes drops what is only wrong because something before it is: after a
// text that does not end, everything is read inside out, to the end of the file;
// and a character that is none breaks the line that it stands in.
func withoutEchoes(diags hcl.Diagnostics) hcl.Diagnostics {
	open := []string{"Invalid multi-line string", "Unterminated template string", "Unclosed template interpolation sequence"}
	end := -1
	for _, one := range diags {
		if slices.Contains(open, one.Summary) && one.Subject != nil && (end < 0 || one.Subject.Start.Byte < end) {
			end = one.Subject.Start.Byte
		}
	}
	stray := map[int]bool{} // lines
	for _, one := range diags {
		if one.Summary == "Invalid character" && one.Subject != nil {
			stray[one.Subject.Start.Line] = true
		}
	}
	once := false
	return slices.DeleteFunc(slices.Clone(diags), func(one *hcl.Diagnostic) bool {
		switch {
		case one.Subject == nil:
			return false
		case one.Summary == "Argument or block definition required" && stray[one.Subject.Start.Line]:
			return true
		case end < 0 || one.Subject.Start.Byte < end:
			return false
		}
		first := one.Subject.Start.Byte == end && !once
		once = once || first
		return !first
	})
}

// reportBody takes over what is wrong with the arguments and blocks of a
// body, and says what can stand there.
func (l *loader) reportBody(diags hcl.Diagnostics, schema *hcl.BodySchema) {
	var words []string
	for _, a := range schema.Attributes {
		words = append(words, a.Name)
	}
	for _, b := range schema.Blocks {
		words = append(words, b.Type)
	}
	for _, one := range diags {
		if one.Summary == "Extraneous JSON object property" { // in the words of the native syntax
			one.Summary = "Unsupported argument"
			one.Detail = strings.Replace(one.Detail, "No argument or block type is named", "An argument or block named", 1)
			one.Detail = strings.Replace(one.Detail, "\".", "\" is not expected here.", 1)
		}
		if used := nameInDetail.FindStringSubmatch(one.Detail); used != nil || strings.HasPrefix(one.Detail, "Blocks of type ") {
			if word, teaches := habit(one.Detail); teaches != "" {
				l.report(*one.Subject, one.Summary, "There is no %q here. %s", word, teaches)
				continue
			}
		}
		if used := nameInDetail.FindStringSubmatch(one.Detail); one.Summary == "Unsupported argument" && used != nil && isBlock(schema, used[1]) {
			l.report(*one.Subject, one.Summary, "%q is a block and no argument. Write it as %s { … }, without the equals sign.", used[1], used[1])
			continue
		}
		if strings.HasPrefix(one.Summary, "Missing ") || strings.HasPrefix(one.Summary, "Extraneous label") {
			l.reportLabels(one, schema)
			continue
		}
		if strings.HasPrefix(one.Summary, "Unsupported") && !strings.HasSuffix(one.Detail, "?") && !strings.HasSuffix(one.Detail, "value.") {
			one.Detail += " Remove it. Here can stand " + strings.Join(words, ", ") + "."
			l.report(*one.Subject, one.Summary, "%s", one.Detail)
			continue
		}
		l.reportHCL(hcl.Diagnostics{one})
	}
}

// placed is how the HCL library writes a place.
var placed = regexp.MustCompile(`(\.pki\.hcl(?:\.json)?):(\d+),\d+-(?:\d+,)?\d+`)

var nameInDetail = regexp.MustCompile(`named "([^"]+)"`)

func isBlock(schema *hcl.BodySchema, word string) bool {
	return slices.ContainsFunc(schema.Blocks, func(b hcl.BlockHeaderSchema) bool { return b.Type == word })
}

// reportLabels says how the header of a block is written.
func (l *loader) reportLabels(one *hcl.Diagnostic, schema *hcl.BodySchema) {
	words := strings.Fields(one.Summary)
	word := words[len(words)-1]
	i := slices.IndexFunc(schema.Blocks, func(b hcl.BlockHeaderSchema) bool { return b.Type == word })
	if i < 0 {
		l.reportHCL(hcl.Diagnostics{one})
		return
	}
	form := word
	for _, label := range schema.Blocks[i].LabelNames {
		form += fmt.Sprintf(" %q", strings.ToUpper(label))
	}
	l.report(*one.Subject, "Wrong number of labels", "The header of a block of type %q has another form. Write it as %s { … }.", word, form)
}

// unknownFunction says what to write instead.
func unknownFunction(name string, functions []string) string {
	switch name {
	case "timestamp", "plantimestamp", "env", "uuid", "uuidv5", "bcrypt", "random":
		return fmt.Sprintf("There is no function %q, because a plan must come out the same twice. Declare a variable and give its value with --var.", name)
	}
	return fmt.Sprintf("There is no function %q.%s", name, suggest(name, functions, "The functions are "+strings.Join(functions, ", ")+"."))
}

// saidTwice is how the library repeats the cause of a failed operation.
var saidTwice = regexp.MustCompile(`^(.*: )(.+) \((.+)\)\.$`)

// advise ends a message of the library in a next step.
func advise(summary, detail string) string {
	detail = strings.TrimSpace(detail)
	if same := saidTwice.FindStringSubmatch(detail); same != nil && same[2] == same[3] {
		detail = same[1] + same[2] + "."
	}
	if detail == "" {
		detail = summary
	}
	if strings.HasSuffix(detail, "?") || strings.HasSuffix(detail, "to assign it a value.") {
		return detail
	}
	if !strings.HasSuffix(detail, ".") {
		detail += "."
	}
	for _, known := range advice() {
		if strings.Contains(summary, known.words) {
			return detail + " " + known.step
		}
	}
	return detail + " Correct the expression."
}

type knownAdvice struct{ words, step string }

// advice says what to do about the library's messages, by a part of their
// summary. The first that fits counts.
func advice() []knownAdvice {
	return []knownAdvice{
		{"Unsupported attribute", "Name one that is there."},
		{"Missing block label", "Write the labels as keys, as in \"authority\": { \"root\": { … } }."},
		{"Incorrect JSON value type", "Write { … }."},
		{"Root value must be object", "Write { … }."},
		{"comma in", "Remove the comma."},
		{"Unknown variable", "A validation can refer to its own variable only."},
		{"Variables not allowed", "Write the value itself."},
		{"Function calls not allowed", "Write the value itself."},
		{"Missing name for", "Write the missing label in quotes before the opening brace."},
		{"Missing type for", "Write the missing label in quotes before the opening brace."},
		{"Extraneous label", "Remove the label."},
		{"Argument set twice", "Remove one of the two."},
		{"Block where", "Locals hold arguments only: write name = value, one to a line."},
		{"Argument or block definition required", "Write name = value, or the type of a block and its braces."},
		{"Invalid block definition", "Write the type of the block, its labels in quotes and an opening brace on one line."},
		{"Invalid single-argument block", "Write each argument on a line of its own."},
		{"Missing newline", "Begin a new line."},
		{"Unclosed", "Close it."},
		{"Unterminated", "Close it."},
		{"interpolation value", "Put a string there; join() makes one of a list."},
		{"Invalid index", "Count members from 0, or use a key that is there."},
		{"separator", "Separate the items with commas."},
		{"Unbalanced parentheses", "Close the parenthesis."},
		{"Invalid multi-line string", "End the text with a double quote on its line, or write it as a heredoc."},
		{"Invalid character encoding", "Save the file as UTF-8."},
		{"Invalid character", "Remove it, or put the text in double quotes."},
		{"Invalid escape", "Write a backslash as \\\\."},
		{"function arguments", "Give as many arguments as the function takes."},
		{"function", "Correct the call."},
		{"Operation failed", "Correct the operands."},
		{"Inconsistent conditional", "Give both results the same type."},
		{"null value", "Give it a value, or a default with try()."},
		{"Null", "Give it a value, or a default with try()."},
		{"Invalid type specification", "Write a type such as string, number, bool or list(string)."},
	}
}

func convertRange(r hcl.Range) spec.Range {
	return spec.Range{
		File:  r.Filename,
		Start: spec.Pos{Line: r.Start.Line, Column: r.Start.Column, Byte: r.Start.Byte},
		End:   spec.Pos{Line: r.End.Line, Column: r.End.Column, Byte: r.End.Byte},
	}
}

// suggest ends a detail with the nearest word there is, with the list of
// words when none is near and the list is short, or else with what to do
// otherwise.
func suggest(given string, words []string, otherwise string) string {
	best, distance := "", 3
	if len(given) <= 4 { // of a short word, two letters are half
		distance = 2
	}
	for _, w := range words {
		if d := levenshtein.Distance(given, w, nil); d < distance {
			best, distance = w, d
		}
		if len(given) >= 4 && strings.HasPrefix(w, given) && best == "" {
			best = w
		}
	}
	switch {
	case best != "":
		return fmt.Sprintf(" Did you mean %q?", best)
	case len(words) > 1 && len(words) <= 8:
		return fmt.Sprintf(" Use one of %s.", strings.Join(words, ", "))
	case len(words) == 1:
		return fmt.Sprintf(" The only one is %q. Use it, or declare the other.", words[0])
	}
	return " " + otherwise
}

// leadsOut reports the error by which os.Root refuses a link; it has no name.
func leadsOut(err error) bool { return strings.HasSuffix(err.Error(), "path escapes from parent") }

// plainError drops the operation and path that fs errors repeat.
func plainError(err error) string {
	var pathError *fs.PathError
	if leadsOut(err) {
		return "a symbolic link leads out of the estate's folder"
	}
	if errors.As(err, &pathError) {
		return pathError.Err.Error()
	}
	return err.Error()
}
