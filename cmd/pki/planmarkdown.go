package main

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"pki.internal/plan"
)

// maxComment is how many characters a comment on GitHub may have.
const maxComment = 65_536

// planMarker is the first line of every comment, so that whatever posts it
// finds the one of before and replaces it.
const planMarker = "<!-- pki plan -->"

// planMarkdown writes a plan as one comment on a pull request: words first,
// details folded, cut where the comment would be too long. What is cut is
// said, and stands whole in the saved plan.
func (a *app) planMarkdown(w io.Writer, p *plan.Plan, digest []byte, drifts []drift) {
	var head strings.Builder
	fmt.Fprintf(&head, "%s\n### pki plan: %s estate `%s`\n\n%s\n\n", planMarker, p.Estate.Environment, p.Estate.Name, planSummary(p))
	head.WriteString(markdownRoom(p))
	for _, c := range p.Changes {
		symbol, words := classTitle(c.Class)
		fmt.Fprintf(&head, "- `%s` **%s**: %s%s\n", symbol, c.Address, words, markdownBlast(c))
	}
	for _, d := range drifts {
		fmt.Fprintf(&head, "- `~` `%s`: render only, %s\n", d.Path, d.What)
	}
	if len(p.Changes)+len(drifts) > 0 {
		head.WriteByte('\n')
	}
	for _, action := range p.Actions {
		fmt.Fprintf(&head, "%d. %s\n", action.Number, actionName(action))
	}
	const room = 1_000 // for what says that something was cut
	short, cut := fitLines(head.String(), maxComment-room)
	io.WriteString(w, short)
	if cut > 0 {
		fmt.Fprintf(w, "\n%s more are cut here; `pki show PLAN` has them all.\n", count(cut, "line"))
	}
	if len(p.Actions) == 0 || cut > 0 {
		return
	}
	var body strings.Builder
	a.printPlan(&body, p, digest)
	details, cut := fitLines(strings.ReplaceAll(body.String(), "```", "'''"), maxComment-room-utf8.RuneCountInString(short))
	fmt.Fprintf(w, "\n<details><summary>Every field</summary>\n\n```\n%s```\n\n</details>\n", details)
	if cut > 0 {
		fmt.Fprintf(w, "\n%s more of every field are cut here; `pki show PLAN` has them all.\n", count(cut, "line"))
	}
}

// markdownRoom says who must come together, what is waived, and what lint has
// learnt since the last ceremony.
func markdownRoom(p *plan.Plan) string {
	var lines strings.Builder
	if len(p.Actions) > 0 {
		for _, row := range roomWanted(p) {
			title, text, _ := strings.Cut(strings.TrimLeft(row, " "), "\t")
			if title != "" {
				title = "**" + title + ":** "
			}
			fmt.Fprintf(&lines, "%s%s  \n", title, text)
		}
	}
	for _, one := range p.Awaits {
		fmt.Fprintf(&lines, "**Waits for:** a certificate of %s from %s, asked for with `%s`  \n", one.Address, one.Issuer, one.Request)
	}
	for _, wv := range p.Lint.Waivers {
		fmt.Fprintf(&lines, "**Waived:** %s on %s until %s  \n", wv.Lint, wv.Object, wv.Until)
	}
	if len(p.Lint.New) > 0 {
		fmt.Fprintf(&lines, "**New rules:** %s, which the last ceremony did not know  \n", strings.Join(p.Lint.New, ", "))
	}
	if lines.Len() > 0 {
		lines.WriteByte('\n')
	}
	return lines.String()
}

func markdownBlast(c plan.Change) string {
	if c.Blast == nil {
		return ""
	}
	return " (" + c.Blast.String() + ")"
}

// fitLines keeps whole lines up to a number of characters, and says how many
// are left out.
func fitLines(text string, most int) (kept string, cut int) {
	size, end := 0, 0
	for line := range strings.Lines(text) {
		size += utf8.RuneCountInString(line)
		if size > most {
			cut++
			continue
		}
		end += len(line)
	}
	if cut > 0 {
		return text[:end], cut
	}
	return text, 0
}
