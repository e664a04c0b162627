package hclspec

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/agext/levenshtein"
	"github.com/hashicorp/hcl/v2"

	"pki.internal/spec"
)

// report notes an error at a place of the source.
func (l *loader) report(at hcl.Range, address spec.Address, summary, detail string, args ...any) {
	rng := convertRange(at)
	found := spec.Diagnostic{Severity: spec.Error, Summary: summary, Detail: fmt.Sprintf(detail, args...), Range: &rng}
	if address != (spec.Address{}) {
		found.Address = address.String()
	}
	l.diags = append(l.diags, found)
}

// reportHCL takes over what the HCL library found.
func (l *loader) reportHCL(diags hcl.Diagnostics) {
	for _, one := range diags {
		found := spec.Diagnostic{Severity: spec.Error, Summary: one.Summary, Detail: one.Detail}
		if one.Severity == hcl.DiagWarning {
			found.Severity = spec.Warning
		}
		if one.Subject != nil {
			rng := convertRange(*one.Subject)
			found.Range = &rng
		}
		l.diags = append(l.diags, found)
	}
}

func convertRange(r hcl.Range) spec.Range {
	return spec.Range{
		File:  r.Filename,
		Start: spec.Pos{Line: r.Start.Line, Column: r.Start.Column, Byte: r.Start.Byte},
		End:   spec.Pos{Line: r.End.Line, Column: r.End.Column, Byte: r.End.Byte},
	}
}

// suggest ends a detail with the nearest word there is, or with the list of
// words when none is near and the list is short.
func suggest(given string, words []string) string {
	best, distance := "", 3
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
	case len(words) > 0 && len(words) <= 8:
		return " There is " + strings.Join(words, ", ") + "."
	}
	return ""
}

// plainError drops the operation and path that fs errors repeat.
func plainError(err error) string {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return pathError.Err.Error()
	}
	return err.Error()
}
