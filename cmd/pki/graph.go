package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"pki.internal/plan"
	"pki.internal/spec"
)

func graphCommand(a *app) *cobra.Command {
	var format string
	var vars variables
	c := &cobra.Command{
		Use:   "graph",
		Short: "Draw who signs whom, as dot, Mermaid, SVG or HTML",
		Long: `Draw the estate: authorities under their issuers, cross-certificates, and the
online CAs that sign with them. What the ledger has already carries its date,
and what only the estate has is marked as planned. SVG and HTML stand alone:
no script, no font and no picture is fetched.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return a.graph(format, vars) },
	}
	c.Flags().StringVar(&format, "format", "dot", "dot, mermaid, svg or html")
	vars.flags(c)
	return c
}

// drawing is an estate as boxes and arrows.
type drawing struct {
	Title string    `json:"title"`
	Boxes []drawBox `json:"boxes"`
	Lines []arrow   `json:"arrows"`
}

// drawBox is one block. Its lines say everything; colour adds nothing.
type drawBox struct {
	ID    string   `json:"id"`   // the block's address
	Kind  string   `json:"kind"` // root, authority or online_ca
	Lines []string `json:"lines"`
	Ready bool     `json:"in_ledger"`
}

// arrow leads from the one who signs to what is signed.
type arrow struct {
	From  string `json:"from"`
	To    string `json:"to"`
	Label string `json:"label,omitempty"` // of a cross-certificate, its address
}

func (a *app) graph(format string, given variables) error {
	draw := map[string]func(io.Writer, drawing){"dot": drawDot, "mermaid": drawMermaid, "svg": drawSVG, "html": drawHTML}[format]
	if draw == nil {
		return &usageError{fmt.Errorf("--format %s: use dot, mermaid, svg or html", format)}
	}
	vars, err := parseVars(given)
	if err != nil {
		return err
	}
	root, err := a.folder()
	if err != nil {
		return err
	}
	defer root.Close()
	estate, err := a.load(root, vars)
	if err != nil {
		return err
	}
	book, err := a.book(root)
	if err != nil {
		return err
	}
	d := drawEstate(estate, book.State())
	if len(d.Boxes) == 0 {
		return errors.New("the estate has no authority to draw; add one, or begin with pki init")
	}
	return a.emit("graph", d, func(w io.Writer) { draw(w, d) })
}

// drawEstate gives boxes from the roots down, each before what it signs.
func drawEstate(e *spec.Estate, s plan.State) drawing {
	d := drawing{Title: fmt.Sprintf("%s estate %q", e.Environment, e.Name), Boxes: []drawBox{}, Lines: []arrow{}}
	for _, a := range e.IssuanceOrder() {
		d.Boxes = append(d.Boxes, authorityBox(a, s))
		if a.Issuer != nil {
			d.Lines = append(d.Lines, arrow{From: a.Issuer.Address.String(), To: a.Address.String()})
		}
	}
	for _, x := range e.Crosses {
		d.Lines = append(d.Lines, arrow{From: x.Issuer.Address.String(), To: x.Subject.Address.String(), Label: x.Address.String()})
		for i := range d.Boxes {
			if d.Boxes[i].ID == x.Subject.Address.String() {
				d.Boxes[i].Lines = append(d.Boxes[i].Lines, fmt.Sprintf("%s by %s", x.Address, x.Issuer.Address))
			}
		}
	}
	for _, r := range e.Responders {
		for i := range d.Boxes {
			if d.Boxes[i].ID == r.Issuer.Address.String() {
				d.Boxes[i].Lines = append(d.Boxes[i].Lines, fmt.Sprintf("%s answers for it", r.Address))
			}
		}
	}
	for _, o := range e.OnlineCAs {
		box := drawBox{ID: o.Address.String(), Kind: "online_ca", Lines: []string{o.Address.String(), "online CA"}, Ready: true}
		if len(o.DNSNames) > 0 {
			box.Lines = append(box.Lines, o.DNSNames[0])
		}
		d.Boxes = append(d.Boxes, box)
		if o.Authority != nil {
			d.Lines = append(d.Lines, arrow{From: o.Authority.Address.String(), To: o.Address.String()})
		}
	}
	return d
}

func authorityBox(a *spec.Authority, s plan.State) drawBox {
	box := drawBox{ID: a.Address.String(), Kind: "authority", Lines: []string{a.Address.String(), a.Subject.Value("common_name")}}
	if a.IsRoot() {
		box.Kind = "root"
	}
	key := "key elsewhere"
	if a.Key != nil {
		key = a.Key.Algorithm.Title() + " in " + a.Key.Store.Address.String()
	}
	have, _ := s.Authority(a.Address)
	c, err := x509.ParseCertificate(have.Certificate)
	if err != nil {
		box.Lines = append(box.Lines, key, "planned")
		return box
	}
	box.Ready = true
	until := "until " + c.NotAfter.UTC().Format("2006-01-02")
	if have.Generation > 1 {
		until = fmt.Sprintf("generation %d, %s", have.Generation, until)
	}
	box.Lines = append(box.Lines, key, until)
	return box
}

func drawDot(w io.Writer, d drawing) {
	escape := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace
	quote := func(s string) string { return `"` + escape(s) + `"` }
	fmt.Fprintf(w, "digraph %s {\n  rankdir = LR\n  node [shape = box, fontname = \"sans-serif\"]\n", quote(d.Title))
	for _, b := range d.Boxes {
		lines := make([]string, 0, len(b.Lines))
		for _, l := range b.Lines {
			lines = append(lines, escape(l))
		}
		style := ""
		if !b.Ready {
			style = ", style = dashed"
		}
		fmt.Fprintf(w, "  %s [label = \"%s\"%s]\n", quote(b.ID), strings.Join(lines, `\n`), style)
	}
	for _, l := range d.Lines {
		if l.Label == "" {
			fmt.Fprintf(w, "  %s -> %s\n", quote(l.From), quote(l.To))
		} else {
			fmt.Fprintf(w, "  %s -> %s [style = dashed, constraint = false, label = %s]\n", quote(l.From), quote(l.To), quote(l.Label))
		}
	}
	fmt.Fprintln(w, "}")
}

func drawMermaid(w io.Writer, d drawing) {
	text := strings.NewReplacer("#", "#35;", `"`, "#quot;", "<", "#lt;", ">", "#gt;", "`", "#96;")
	names := map[string]string{}
	for i, b := range d.Boxes {
		names[b.ID] = fmt.Sprintf("n%d", i)
	}
	fmt.Fprintln(w, "flowchart LR")
	for _, b := range d.Boxes {
		lines := make([]string, 0, len(b.Lines))
		for _, l := range b.Lines {
			lines = append(lines, text.Replace(l))
		}
		fmt.Fprintf(w, "  %s[\"%s\"]\n", names[b.ID], strings.Join(lines, "<br/>"))
		if !b.Ready {
			fmt.Fprintf(w, "  style %s stroke-dasharray: 5 5\n", names[b.ID])
		}
	}
	for _, l := range d.Lines {
		if l.Label == "" {
			fmt.Fprintf(w, "  %s --> %s\n", names[l.From], names[l.To])
		} else {
			fmt.Fprintf(w, "  %s -. \"%s\" .-> %s\n", names[l.From], text.Replace(l.Label), names[l.To])
		}
	}
}
