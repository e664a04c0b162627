package main

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"pki.internal/ceremony/ledger"
)

func ceremonyReportCommand(a *app) *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "report [NUMBER]",
		Short: "What a ceremony did, from the ledger, as text or as a page to be filed",
		Long: `Say what a ceremony did: when, by which plan, who approved it, every key with its
evidence, every certificate and CRL with its fingerprint, exceptions, lint, and
the digests of what it gave. It comes from the ledger alone and needs no key.
Without a number it is the last ceremony; the first has number 1.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			number := 0
			if len(args) == 1 {
				n, err := strconv.Atoi(args[0])
				if err != nil || n < 1 {
					return &usageError{fmt.Errorf("%q is not the number of a ceremony; the first is 1", args[0])}
				}
				number = n
			}
			return a.ceremonyReport(number, out)
		},
	}
	c.Flags().StringVar(&out, "html", "", "write the page to this new file")
	return c
}

// report is what is known of one ceremony. Everything in it comes from the
// ledger.
type report struct {
	Title    string      `json:"title"`
	Number   int         `json:"number"` // of the ceremony, from 1
	Of       int         `json:"of"`     // ceremonies in the ledger
	Finished bool        `json:"finished"`
	Aborted  bool        `json:"aborted"`
	Digest   string      `json:"plan_digest"`
	Words    [][8]string `json:"-"`
	Sections []section   `json:"sections"`
}

// section is one table of a report.
type section struct {
	Title string         `json:"title"`
	Note  string         `json:"note,omitempty"`
	Head  []string       `json:"head,omitempty"`
	Rows  [][]reportCell `json:"rows"`
}

// reportCell is a field of a table. Code is set in a face in which every letter can
// be told from the others.
type reportCell struct {
	Text string `json:"text"`
	Code bool   `json:"code,omitempty"`
	Lead bool   `json:"lead,omitempty"` // it names what the rows below are about
}

func (a *app) ceremonyReport(number int, out string) error {
	root, err := a.folder()
	if err != nil {
		return err
	}
	defer root.Close()
	book, err := a.book(root)
	if err != nil {
		return err
	}
	r, err := newReport(book, number)
	if err != nil {
		return err
	}
	if out == "" {
		return a.emit("ceremony report", r, func(w io.Writer) { a.printReport(w, r) })
	}
	var page bytes.Buffer
	t, err := template.New("report").Parse(reportPage)
	if err != nil {
		return err
	}
	if err := t.Execute(&page, r); err != nil {
		return err
	}
	if err := writeNewPage(out, page.Bytes()); err != nil {
		return err
	}
	return a.emit("ceremony report", map[string]any{"file": out, "sha256": sha256Hex(page.Bytes())}, func(w io.Writer) {
		fmt.Fprintf(w, "%s: SHA-256 %s\n", out, sha256Hex(page.Bytes()))
	})
}

//go:embed ceremony_report.html
var reportPage string

// newReport finds a ceremony, the last one for number 0, and tells it.
func newReport(book *ledger.Book, number int) (*report, error) {
	var begins []int
	for i, e := range book.Entries {
		if e.Fact != nil && e.Fact.Begun != nil {
			begins = append(begins, i)
		}
	}
	switch {
	case len(begins) == 0 && book.Withheld() > 0:
		return nil, errors.New("this copy of the ledger withholds the plans, and a report is about one; use a copy for auditors (pki bundle create --level restricted)")
	case len(begins) == 0:
		return nil, fmt.Errorf("there is no ceremony in %s yet", ledgerName)
	case number > len(begins):
		return nil, fmt.Errorf("the ledger has %s, and number %d is not among them", count(len(begins), "ceremony"), number)
	case number == 0:
		number = len(begins)
	}
	from, to := begins[number-1], len(book.Entries)
	if number < len(begins) {
		to = begins[number]
	}
	t := &teller{book: book, from: from, to: to, begun: book.Entries[from].Fact.Begun, state: book.StateAt(to)}
	return t.tell(number, len(begins))
}

// printReport writes a report for a terminal.
func (a *app) printReport(w io.Writer, r *report) {
	fmt.Fprintf(w, "%s\n", r.Title)
	for _, s := range r.Sections {
		fmt.Fprintf(w, "\n%s\n", s.Title)
		if s.Note != "" {
			fmt.Fprintf(w, "  %s\n", hang(s.Note, a.width, 2))
		}
		widest := 0
		for _, row := range s.Rows {
			widest = max(widest, utf8.RuneCountInString(row[0].Text))
		}
		widest = min(widest, 24)
		for _, row := range s.Rows {
			texts := make([]string, 0, len(row))
			for _, c := range row[1:] {
				texts = append(texts, c.Text)
			}
			pad := strings.Repeat(" ", max(0, widest-utf8.RuneCountInString(row[0].Text)))
			line := fmt.Sprintf("  %s%s  %s", row[0].Text, pad, strings.Join(texts, "  "))
			if utf8.RuneCountInString(line) <= a.width {
				fmt.Fprintln(w, strings.TrimRight(line, " "))
				continue
			}
			// The last cell goes on below itself, or each cell has lines of its own.
			last := len(texts) - 1
			front := fmt.Sprintf("  %s%s  %s", row[0].Text, pad, strings.Join(append(texts[:last:last], ""), "  "))
			if left := a.width - utf8.RuneCountInString(front); left >= 30 && longestWord(texts[last]) <= left {
				fmt.Fprintf(w, "%s%s\n", front, hang(texts[last], a.width, a.width-left))
				continue
			}
			fmt.Fprintf(w, "  %s\n", row[0].Text)
			for _, text := range texts {
				fmt.Fprintf(w, "    %s\n", hang(text, a.width, 4))
			}
		}
	}
}

func longestWord(text string) int {
	longest := 0
	for _, word := range strings.Fields(text) {
		longest = max(longest, utf8.RuneCountInString(word))
	}
	return longest
}
