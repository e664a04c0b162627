package main

import (
	"fmt"
	"html"
	"io"
	"unicode/utf8"
)

// Measures of a drawing, in pixels. A character of the font is at most
// charWidth wide.
const (
	charWidth  = 7.4
	lineHeight = 17
	padding    = 10
	gapX       = 70
	gapY       = 18
	margin     = 20
)

// laidOut is a box with its place: issuers stand left of what they sign.
type laidOut struct {
	drawBox
	x, y, width, height float64
}

// layOut puts every box into the column of its depth. What is signed by one
// issuer stands below each other, and the issuer in the middle before it.
func layOut(d drawing) (boxes []laidOut, width, height float64) {
	at, children, hasParent := map[string]int{}, map[string][]int{}, map[string]bool{}
	for i, b := range d.Boxes {
		at[b.ID] = i
		one := laidOut{drawBox: b, height: float64(len(b.Lines)*lineHeight + padding)}
		for _, l := range b.Lines {
			one.width = max(one.width, charWidth*float64(utf8.RuneCountInString(l))+2*padding)
		}
		boxes = append(boxes, one)
	}
	for _, l := range d.Lines {
		if l.Label == "" {
			children[l.From] = append(children[l.From], at[l.To])
			hasParent[l.To] = true
		}
	}
	p := &layer{boxes: boxes, children: children, below: margin, columns: map[int]float64{}}
	for i, b := range boxes {
		if !hasParent[b.ID] {
			p.put(i, 0)
		}
	}
	x := float64(margin)
	for depth := 0; p.columns[depth] > 0; depth++ {
		for i := range boxes {
			if p.depth(i) == depth {
				boxes[i].x = x
			}
		}
		x += p.columns[depth] + gapX
	}
	return boxes, x - gapX + margin, p.below - gapY + margin
}

type layer struct {
	boxes    []laidOut
	children map[string][]int
	depths   map[int]int
	below    float64         // where the next row begins
	columns  map[int]float64 // widths
}

func (p *layer) depth(i int) int { return p.depths[i] }

// put places a box and what it signs, and gives where its middle is.
func (p *layer) put(i, depth int) float64 {
	if p.depths == nil {
		p.depths = map[int]int{}
	}
	b := &p.boxes[i]
	p.depths[i] = depth
	p.columns[depth] = max(p.columns[depth], b.width)
	kids := p.children[b.ID]
	if len(kids) == 0 {
		b.y = p.below
		p.below += b.height + gapY
		return b.y + b.height/2
	}
	first, last := 0.0, 0.0
	for n, kid := range kids {
		middle := p.put(kid, depth+1)
		if n == 0 {
			first = middle
		}
		last = middle
	}
	b.y = (first+last)/2 - b.height/2
	p.below = max(p.below, b.y+b.height+gapY)
	return b.y + b.height/2
}

// drawSVG writes a drawing that stands alone.
func drawSVG(w io.Writer, d drawing) {
	boxes, width, height := layOut(d)
	named := map[string]laidOut{}
	for _, b := range boxes {
		named[b.ID] = b
	}
	fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" role="img" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f" font-family="DejaVu Sans, Verdana, sans-serif" font-size="12">
<title>%s</title>
<desc>Arrows lead from the one who signs to what is signed; dashed arrows are cross-certificates, dashed boxes are planned.</desc>
<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0L8 4L0 8z" fill="#333"/></marker></defs>
<rect width="100%%" height="100%%" fill="#fff"/>
`, width, height, width, height, html.EscapeString(d.Title))
	for _, l := range d.Lines {
		drawArrow(w, l, named[l.From], named[l.To])
	}
	fills := map[string]string{"root": "#fdf3d8", "authority": "#eef4fb", "online_ca": "#eef8ee"}
	for _, b := range boxes {
		dash := ""
		if !b.Ready {
			dash = ` stroke-dasharray="5 4"`
		}
		fmt.Fprintf(w, `<g><rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="3" fill="%s" stroke="#333"%s/>`, b.x, b.y, b.width, b.height, fills[b.Kind], dash)
		for i, line := range b.Lines {
			weight := ""
			if i == 0 {
				weight = ` font-weight="bold"`
			}
			fmt.Fprintf(w, `<text x="%.1f" y="%.1f"%s>%s</text>`, b.x+padding, b.y+padding/2+float64((i+1)*lineHeight)-5, weight, html.EscapeString(line))
		}
		fmt.Fprintln(w, "</g>")
	}
	fmt.Fprintln(w, "</svg>")
}

// drawArrow bends from the right side of a box to the left side of another;
// one that leads backwards or to the same column goes around by the right.
func drawArrow(w io.Writer, l arrow, from, to laidOut) {
	x1, y1, x2, y2 := from.x+from.width, from.y+from.height/2, to.x, to.y+to.height/2
	path := fmt.Sprintf("M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1f", x1, y1, x1+gapX/2, y1, x2-gapX/2, y2, x2, y2)
	if x2 <= x1 {
		x2 = to.x + to.width
		out := max(x1, x2) + gapX/2
		path = fmt.Sprintf("M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1f", x1, y1, out, y1, out, y2, x2, y2)
	}
	if l.Label == "" {
		fmt.Fprintf(w, `<path d="%s" fill="none" stroke="#333" marker-end="url(#tip)"/>`+"\n", path)
		return
	}
	fmt.Fprintf(w, `<path d="%s" fill="none" stroke="#333" stroke-dasharray="6 4" marker-end="url(#tip)"><title>%s</title></path>`+"\n", path, html.EscapeString(l.Label))
}

// drawHTML writes a page with the drawing in it.
func drawHTML(w io.Writer, d drawing) {
	fmt.Fprintf(w, `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>%s</title>
<style>body { margin: 1em; font-family: "DejaVu Sans", Verdana, sans-serif } figure { margin: 0; overflow: auto }</style>
</head>
<body>
<h1>%s</h1>
<figure>
`, html.EscapeString(d.Title), html.EscapeString(d.Title))
	drawSVG(w, d)
	fmt.Fprintln(w, "<figcaption>Arrows lead from the one who signs to what is signed. Dashed arrows are cross-certificates, dashed boxes are planned.</figcaption>\n</figure>\n</body>\n</html>")
}
