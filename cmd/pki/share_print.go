package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"rsc.io/qr"

	"pki.internal/plan"
	"pki.internal/shamir"
	"pki.internal/spec"
)

func sharePrintCommand(a *app) *cobra.Command {
	var o shareSource
	var out string
	var worksheet, screen bool
	c := &cobra.Command{
		Use:   "print FILE…",
		Short: "Make sheets of shares for a printer, or to be filled in by hand",
		Long: `Write shares as a page for a printer: words, QR code, and on the second side how
to recover without this program. The page loads nothing from anywhere.

Where no printer is trusted: --worksheet writes sheets without words, from the
set's public record, and --screen shows the words of one share after the other
on the terminal, for the holder to copy, and wipes the screen in between.`,
		RunE: func(c *cobra.Command, args []string) error {
			o.files = args
			switch {
			case worksheet && (screen || len(args) > 0 || o.record+o.secret == ""):
				return &usageError{fmt.Errorf("--worksheet takes no share; it needs the set's public record, --set FILE or --secret NAME, and --out FILE")}
			case screen && (out != "" || a.json):
				return &usageError{fmt.Errorf("--screen shows shares on the terminal and nowhere else; leave --out and --json out")}
			case !worksheet && len(args) == 0:
				return &usageError{fmt.Errorf("there are no shares: name their files")}
			case !screen && out == "":
				return &usageError{fmt.Errorf("--out FILE is needed: the page to print")}
			}
			return a.printShares(c.Context(), o, out, worksheet, screen)
		},
	}
	c.Flags().StringArrayVar(&o.identities, "identity", nil, "file of age identities that open encrypted shares; may be repeated")
	o.recordFlags(c)
	c.Flags().StringVar(&out, "out", "", "new HTML file; it is as secret as the shares in it")
	c.Flags().BoolVar(&worksheet, "worksheet", false, "sheets to be filled in by hand, for every holder of --set")
	c.Flags().BoolVar(&screen, "screen", false, "show the words on the terminal, one share at a time")
	return c
}

// sheet is one share as it is printed.
type sheet struct {
	Index, Count, Threshold int
	Purpose, Holder, Set    string
	Lines                   []sheetLine
	QR                      string // an SVG path, one unit to a module
	QRBox                   int    // its side with the quiet zone
	Blank                   bool
}

type sheetLine struct {
	Number int
	Words  []string
}

//go:embed sheet.html
var sheetPage string

func (a *app) printShares(ctx context.Context, o shareSource, out string, worksheet, screen bool) error {
	if worksheet {
		sheets, err := a.blankSheets(&o)
		if err != nil {
			return err
		}
		return a.writeSheets(out, sheets)
	}
	scheme, err := a.recordOf(&o)
	if err != nil {
		return err
	}
	held, err := a.readShares(ctx, o)
	if err != nil {
		return err
	}
	defer wipeShares(held)
	for _, h := range held {
		if scheme == nil {
			break
		}
		if _, err := scheme.Find(h.Share); err != nil {
			return fmt.Errorf("%s: %w", h.from, refuseShares(err))
		}
	}
	if screen {
		return showShares(ctx, held)
	}
	var sheets []sheet
	for _, h := range held {
		s, err := sheetOf(h.Share)
		if err != nil {
			return fmt.Errorf("%s: %w", h.from, err)
		}
		sheets = append(sheets, s)
	}
	return a.writeSheets(out, sheets)
}

func sheetOf(s *shamir.Share) (sheet, error) {
	code, err := qr.Encode(s.QR(), qr.M)
	if err != nil {
		return sheet{}, fmt.Errorf("making the QR code: %w", err)
	}
	p := sheet{
		Index: s.Index, Count: s.Count, Threshold: s.Threshold, Purpose: s.Purpose, Holder: s.Holder, Set: s.Set.String(),
		QR: modules(code), QRBox: code.Size + 8,
	}
	for i, line := range s.Words() {
		p.Lines = append(p.Lines, sheetLine{i + 1, strings.Fields(line)})
	}
	return p, nil
}

// modules draws the black modules of a code, run by run.
func modules(code *qr.Code) string {
	var b strings.Builder
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			run := 0
			for code.Black(x+run, y) {
				run++
			}
			if run > 0 {
				fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", x, y, run, run)
				x += run
			}
		}
	}
	return b.String()
}

// notYet stands where a set's id is written in by hand, once there is one.
const notYet = "…………………………………………"

// blankSheets makes worksheets for a set that is there, or for one that a
// ceremony of the estate will make: then for those who get no file, and
// without the set's id, which nobody knows before.
func (a *app) blankSheets(o *shareSource) ([]sheet, error) {
	scheme, err := a.recordOf(o)
	if err == nil {
		return worksheets(scheme), nil
	}
	root, openErr := a.folder()
	if o.secret == "" || openErr != nil {
		return nil, errors.Join(err, openErr)
	}
	defer root.Close()
	estate, loadErr := a.load(root, nil)
	if loadErr != nil {
		return nil, loadErr
	}
	for _, s := range estate.Secrets {
		if s.Address.String() != "secret."+strings.TrimPrefix(o.secret, "secret.") || s.Custodians == nil {
			continue
		}
		var sheets []sheet
		for i, one := range worksheets(futureScheme(estate, s)) {
			if h := s.Custodians.Holders[i]; h.Recipient == "" && h.Identity == "" {
				one.Set = notYet
				sheets = append(sheets, one)
			}
		}
		if len(sheets) == 0 {
			return nil, fmt.Errorf("every holder of %s gets a file, so there is nothing to write down", s.Address)
		}
		return sheets, nil
	}
	return nil, err
}

// futureScheme is what can be known of a secret's shares before they are made.
func futureScheme(e *spec.Estate, s *spec.Secret) *shamir.Scheme {
	c := s.Custodians
	scheme := &shamir.Scheme{Top: &shamir.Set{Threshold: c.Threshold, Class: shamir.Class(s.Length), Purpose: e.Purpose(s)}}
	for _, g := range c.Groups {
		scheme.Groups = append(scheme.Groups, shamir.GroupSet(e.Purpose(s), g.Name, g.Threshold))
		scheme.Top.Members = append(scheme.Top.Members, shamir.Member{Index: len(scheme.Groups), Holder: g.Name})
	}
	for _, h := range c.Holders {
		set := scheme.Top
		for i, g := range c.Groups {
			if g.Name == h.Group {
				set = scheme.Groups[i]
			}
		}
		set.Members = append(set.Members, shamir.Member{Index: len(set.Members) + 1, Holder: h.Name})
	}
	return scheme
}

func worksheets(scheme *shamir.Scheme) []sheet {
	var sheets []sheet
	for _, set := range scheme.Sets() {
		sheets = append(sheets, worksheetsOf(set)...)
	}
	return sheets
}

func worksheetsOf(set *shamir.Set) []sheet {
	var sheets []sheet
	for _, m := range set.Members {
		s := sheet{Index: m.Index, Count: len(set.Members), Threshold: set.Threshold, Purpose: set.Purpose, Holder: m.Holder, Set: set.ID().String(), Blank: true}
		for i := range set.Lines(m) {
			s.Lines = append(s.Lines, sheetLine{i + 1, make([]string, 8)})
		}
		sheets = append(sheets, s)
	}
	return sheets
}

func (a *app) writeSheets(out string, sheets []sheet) error {
	if err := writePage(out, sheets); err != nil {
		return err
	}
	blank := sheets[0].Blank
	result := map[string]any{"written": out, "sheets": len(sheets), "worksheet": blank}
	return a.emit("share print", result, func(w io.Writer) {
		if blank {
			fmt.Fprintf(w, "%s in %s, two sides each, without any words.\n", count(len(sheets), "worksheet"), out)
			return
		}
		fmt.Fprintf(w, "%s in %s, two sides each. %s\n", count(len(sheets), "sheet"), out,
			wrap("The file is as secret as the shares in it: print it from this computer on a printer without memory or network, then destroy it.", a.width, ""))
	})
}

// writePage makes the page of sheets as a new file.
func writePage(out string, sheets []sheet) error {
	page, err := template.New("sheet").Parse(sheetPage)
	if err != nil {
		return err
	}
	longest := 0
	for _, s := range sheets {
		longest = max(longest, len(s.Lines))
	}
	var b bytes.Buffer
	// Beyond 16 lines a sheet needs small print to stay on one page.
	err = page.Execute(&b, map[string]any{"Sheets": sheets, "Purpose": sheets[0].Purpose, "Decoder": shamir.Decoder, "Dense": longest > 16})
	if err != nil {
		return err
	}
	defer clear(b.Bytes())
	if _, err := os.Lstat(out); err == nil {
		return refuseShares(&shamir.Fault{Fact: out + " is already there, and is not overwritten", Next: "name another file with --out"})
	}
	root, err := os.OpenRoot(filepath.Dir(out))
	if err != nil {
		return err
	}
	defer root.Close()
	return folderFiles{root}.Write(plan.File{Path: filepath.Base(out), Data: b.Bytes(), Mode: 0o600})
}

// wipeScreen clears the screen and what can be scrolled back to.
const wipeScreen = "\x1b[H\x1b[2J\x1b[3J"

// showShares shows one share after the other to its holder alone.
func showShares(ctx context.Context, held []heldShare) (err error) {
	tty, err := terminal("the shares are shown on a terminal", "run the command on one, or print a page with --out")
	if err != nil {
		return err
	}
	defer func() {
		_, wiped := fmt.Fprint(tty, wipeScreen)
		err = errors.Join(err, wiped, tty.Close())
	}()
	for _, h := range held {
		fmt.Fprintf(tty, "%s%s\nOnly %s may see the screen now.\n", wipeScreen, h.Share, h.Holder)
		if err := showWords(ctx, tty, h.Share); err != nil {
			return err
		}
	}
	return nil
}

// showWords shows the words of a share to whoever presses Enter, until Enter
// is pressed again, and wipes the screen.
func showWords(ctx context.Context, tty *os.File, s *shamir.Share) error {
	fmt.Fprint(tty, "Press Enter to show the words. ")
	if _, err := readLine(ctx, tty); err != nil {
		return err
	}
	fmt.Fprint(tty, wipeScreen)
	for i, line := range s.Words() {
		fmt.Fprintf(tty, "%2d  %s\n", i+1, line)
	}
	fmt.Fprint(tty, "\nWhen all is written down, press Enter; the screen is wiped. ")
	_, err := readLine(ctx, tty)
	fmt.Fprint(tty, wipeScreen)
	return err
}
