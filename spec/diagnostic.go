package spec

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Severity of a diagnostic. The zero value is invalid.
type Severity int

// The two severities a diagnostic can have.
const (
	Error Severity = iota + 1
	Warning
)

// String gives the word that people read.
func (s Severity) String() string {
	switch s {
	case Error:
		return "error"
	case Warning:
		return "warning"
	}
	return "invalid severity"
}

// MarshalText gives the word that the JSON twin of a diagnostic carries.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Pos is a place in a source file. Lines and columns count from 1, columns in
// characters; bytes count from 0.
type Pos struct {
	Line   int `json:"line"`
	Column int `json:"column"`
	Byte   int `json:"byte"`
}

// Range is a stretch of a source file. A zero File means that no file is to
// blame.
type Range struct {
	File  string `json:"file"`
	Start Pos    `json:"start"`
	End   Pos    `json:"end"`
}

// Origin says where a block was written. Blocks embed it.
type Origin struct {
	Address    Address
	Block      Range
	Attributes map[string]Range
}

// At gives the range of an attribute or nested block, or the block's header
// when it was not written.
func (o Origin) At(attribute string) Range {
	if r, ok := o.Attributes[attribute]; ok {
		return r
	}
	return o.Block
}

// Diagnostic tells a person what is wrong, where, and what to do next.
// Summary is terse and has no names in it; Detail is full sentences and ends
// in a next step.
type Diagnostic struct {
	Severity Severity `json:"severity"`
	Summary  string   `json:"summary"`
	Detail   string   `json:"detail"`
	Address  string   `json:"address,omitempty"`
	Range    *Range   `json:"range,omitempty"`
	Hidden   bool     `json:"-"` // the line may hold a secret: it is not shown
}

// Diagnostics is everything found in one pass.
type Diagnostics []Diagnostic

// HasErrors reports whether anything found is an error.
func (d Diagnostics) HasErrors() bool {
	return slices.ContainsFunc(d, func(one Diagnostic) bool { return one.Severity == Error })
}

// Sorted gives the diagnostics by file and place, errors before warnings at
// the same place, each once.
func (d Diagnostics) Sorted() Diagnostics {
	sorted := slices.Clone(d)
	slices.SortStableFunc(sorted, func(a, b Diagnostic) int {
		ra, rb := a.place(), b.place()
		return cmp.Or(
			cmp.Compare(ra.File, rb.File),
			cmp.Compare(ra.Start.Byte, rb.Start.Byte),
			cmp.Compare(a.Severity, b.Severity),
			cmp.Compare(a.Summary, b.Summary),
			cmp.Compare(a.Detail, b.Detail),
			cmp.Compare(ra.End.Byte, rb.End.Byte),
			cmp.Compare(a.Address, b.Address),
		)
	})
	return slices.CompactFunc(sorted, Diagnostic.same).gathered()
}

// mostInstances is how many instances of one block say the same in words of
// their own; the others are counted.
const mostInstances = 3

// gathered says once for all what is wrong with many instances of a block.
func (d Diagnostics) gathered() Diagnostics {
	var kept Diagnostics
	for from := 0; from < len(d); {
		to := from + 1
		for to < len(d) && d[from].alike(d[to]) {
			to++
		}
		keep := min(to-from, mostInstances)
		kept = append(kept, d[from:from+keep]...)
		if left := to - from - keep; left > 0 {
			block, _ := d[from].block()
			last := &kept[len(kept)-1]
			last.Detail += fmt.Sprintf(" The same is wrong with %d more of %s.", left, block)
		}
		from = to
	}
	return kept
}

// alike reports whether two diagnostics are of two instances of one block, at
// the same place and about the same.
func (d Diagnostic) alike(other Diagnostic) bool {
	block, instance := d.block()
	same, too := other.block()
	return instance && too && block == same && d.Range != nil && d.place() == other.place() && d.Severity == other.Severity && d.Summary == other.Summary
}

// block gives the address without the key of an instance.
func (d Diagnostic) block() (string, bool) {
	block, _, instance := strings.Cut(d.Address, "[")
	return block, instance
}

// same reports whether two diagnostics say one thing. Without a place, the
// address says which block is meant.
func (d Diagnostic) same(other Diagnostic) bool {
	where := d.place() == other.place() && (d.Range != nil || d.Address == other.Address)
	return where && d.Severity == other.Severity && d.Summary == other.Summary && d.Detail == other.Detail
}

func (d Diagnostic) place() Range {
	if d.Range == nil {
		return Range{}
	}
	return *d.Range
}

// Error makes Diagnostics usable where an error is wanted. Return it only
// when HasErrors.
func (d Diagnostics) Error() string {
	lines := make([]string, 0, len(d))
	for _, one := range d {
		at := ""
		if one.Range != nil {
			at = fmt.Sprintf("%s:%d: ", one.Range.File, one.Range.Start.Line)
		}
		lines = append(lines, at+one.Summary+": "+one.Detail)
	}
	return strings.Join(lines, "\n")
}

// Report appends an error found in a block, at one of its attributes.
func (d *Diagnostics) Report(o Origin, attribute, summary, detail string, args ...any) {
	d.add(Error, o, attribute, summary, detail, args)
}

// Warn appends a warning found in a block, at one of its attributes.
func (d *Diagnostics) Warn(o Origin, attribute, summary, detail string, args ...any) {
	d.add(Warning, o, attribute, summary, detail, args)
}

// HideLine keeps the line of the newest diagnostic out of sight, because a
// secret was written there.
func (d *Diagnostics) HideLine() { (*d)[len(*d)-1].Hidden = true }

func (d *Diagnostics) add(s Severity, o Origin, attribute, summary, detail string, args []any) {
	found := Diagnostic{Severity: s, Summary: summary, Detail: fmt.Sprintf(detail, args...), Address: o.Address.String()}
	if at := o.At(attribute); at.File != "" {
		found.Range = &at
	}
	*d = append(*d, found)
}
