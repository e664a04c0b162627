package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"pki.internal/lint/crlwalk"
	"pki.internal/plan/revocation"
)

func crlDiffCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "Say which revocations two CRLs do not share",
		Long: `Say which entries NEW adds (+), lacks (-) or has with another date or reason
(~). Exits 2 when there is a difference in the entries.`,
		Args: cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error { return a.crlDiff(args[0], args[1]) },
	}
}

// crlChange is one difference, a line of JSON with --json.
type crlChange struct {
	Change string      `json:"change"` // added, removed or changed
	Old    *shownEntry `json:"old,omitempty"`
	New    *shownEntry `json:"new,omitempty"`
}

// sides are two CRLs by ascending serial number.
type sides struct {
	files   [2]*crlFile
	sorters [2]*revocation.Sorter
	scratch [2]*os.File
}

func (a *app) crlDiff(oldName, newName string) error {
	s, err := openSides(oldName, newName)
	if err != nil {
		return err
	}
	defer s.close()
	out := bufio.NewWriterSize(a.stdout, 64<<10)
	if !a.json {
		fmt.Fprintf(out, "--- %s\n+++ %s\n", oldName, newName)
	}
	found := 0
	err = s.compare(func(c crlChange) error {
		found++
		if a.json {
			return writeJSONLine(out, c)
		}
		return printChange(out, c)
	})
	if err = errors.Join(err, out.Flush()); err != nil {
		return err
	}
	if found > 0 {
		return &changesError{}
	}
	return nil
}

// openSides sorts both lists in scratch files. Sorted ones only pass through.
func openSides(names ...string) (*sides, error) {
	s := &sides{}
	for i, name := range names {
		file, err := openCRL(name)
		if err != nil {
			return nil, errors.Join(err, s.close())
		}
		s.files[i] = file
		if s.scratch[i], err = os.CreateTemp("", ".pki-scratch-*"); err != nil {
			return nil, errors.Join(err, s.close())
		}
		if err := os.Remove(s.scratch[i].Name()); err != nil {
			return nil, errors.Join(err, s.close())
		}
		s.sorters[i] = revocation.NewSorter(s.scratch[i])
		if err := sortCRL(file, s.sorters[i]); err != nil {
			return nil, errors.Join(err, s.close())
		}
	}
	return s, nil
}

func sortCRL(file *crlFile, sorter *revocation.Sorter) error {
	_, err := file.walk(func(e *crlwalk.Entry) error {
		r, err := revocation.FromEntry(e)
		if err != nil {
			return err
		}
		return sorter.Add(&r)
	})
	return err
}

func (s *sides) close() error {
	for i := range s.files {
		if s.files[i] != nil {
			s.files[i].Close()
		}
		if s.scratch[i] != nil {
			s.scratch[i].Close()
		}
	}
	return nil
}

// compare merges the two.
func (s *sides) compare(visit func(crlChange) error) error {
	before, err := s.sorters[0].Sorted()
	if err != nil {
		return err
	}
	after, err := s.sorters[1].Sorted()
	if err != nil {
		return err
	}
	var o, n revocation.Record
	moreOld, err := before.Next(&o)
	if err != nil {
		return err
	}
	moreNew, err := after.Next(&n)
	for err == nil && (moreOld || moreNew) {
		order := 0
		switch {
		case !moreNew:
			order = -1
		case !moreOld:
			order = 1
		default:
			order = o.Serial.Compare(n.Serial)
		}
		if err = visitChange(order, &o, &n, visit); err != nil {
			break
		}
		if order <= 0 {
			moreOld, err = before.Next(&o)
		}
		if order >= 0 && err == nil {
			moreNew, err = after.Next(&n)
		}
	}
	return err
}

func visitChange(order int, o, n *revocation.Record, visit func(crlChange) error) error {
	from, to := recordShown(o), recordShown(n)
	switch {
	case order < 0:
		return visit(crlChange{Change: "removed", Old: &from})
	case order > 0:
		return visit(crlChange{Change: "added", New: &to})
	case from != to:
		return visit(crlChange{Change: "changed", Old: &from, New: &to})
	}
	return nil
}

func recordShown(r *revocation.Record) shownEntry {
	shown := shownEntry{Serial: r.Serial.String(), Date: rfc3339(r.Date), Reason: r.Reason.String()}
	if r.Invalidity != revocation.Unknown {
		shown.Invalidity = rfc3339(r.Invalidity)
	}
	return shown
}

func printChange(w io.Writer, c crlChange) error {
	line := func(e *shownEntry) string { return fmt.Sprintf("%s  %s%s", e.Date, e.Reason, invalidSince(*e)) }
	var err error
	switch {
	case c.Old == nil:
		_, err = fmt.Fprintf(w, "+ %s  %s\n", c.New.Serial, line(c.New))
	case c.New == nil:
		_, err = fmt.Fprintf(w, "- %s  %s\n", c.Old.Serial, line(c.Old))
	default:
		_, err = fmt.Fprintf(w, "~ %s  %s, before: %s\n", c.New.Serial, line(c.New), line(c.Old))
	}
	return err
}
