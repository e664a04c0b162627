package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"pki.internal/ceremony"
	"pki.internal/ceremony/script"
	"pki.internal/plan"
	"pki.internal/spec"
)

// desk is the screen of a ceremony. What happens goes to standard error as it
// happens; the result goes to standard output at the end.
type desk struct {
	app    *app
	yes    bool
	resume bool
	digest []byte
	script *script.Script
	step   script.Step // that was shown last
	screen *screen     // nil where lines follow each other, as in a file

	rehearsed string // what is known about rehearsals of the plan
}

func newDesk(a *app, admitted *ceremony.Admitted, digest []byte, o applyOptions) *desk {
	d := &desk{app: a, yes: o.yes, resume: o.resume, digest: digest, script: admitted.Script()}
	if admitted.Plan().Estate.Environment != spec.Lab && !o.yes {
		d.screen = newScreen(a.stderr)
	}
	return d
}

// wiped puts the cursor home on an empty screen, and forgets what could be
// scrolled back to.
const wiped = "\x1b[H\x1b[2J\x1b[3J"

// Show puts a step on the screen as it stands in the printed script. A lab is
// shown the whole plan once instead.
func (d *desk) Show(s script.Step, p *plan.Plan) {
	var b strings.Builder
	if p.Estate.Environment == spec.Lab {
		if s.Does != script.Go {
			return
		}
		d.app.printPlan(&b, p, d.digest)
		d.say("%s\n%s\n", b.String(), d.where())
		return
	}
	d.step = s
	d.printStep(&b, s, p)
	if d.screen != nil {
		d.screen.show(b.String())
		return
	}
	d.say("%s\n", b.String())
}

// where says whether something has been made yet.
func (d *desk) where() string {
	if d.resume {
		return "This ceremony was interrupted and goes on where it stopped."
	}
	return "Nothing has been made yet."
}

func (d *desk) printStep(w io.Writer, s script.Step, p *plan.Plan) {
	left := 0
	for _, later := range d.script.Steps[s.Number-1:] {
		left += later.Minutes
	}
	title := fmt.Sprintf("Step %d of %d · %s · %s left", s.Number, len(d.script.Steps), s.Phase, script.Length(left))
	fmt.Fprintf(w, "\n%s\n%s\n", title, strings.Repeat("─", min(d.app.width, 80)))
	fmt.Fprintf(w, "%s: %s\n\n", s.Role, hang(s.Title, d.app.width, len(s.Role)+2))
	for _, part := range []struct{ name, text string }{{"Read aloud", s.Reads}, {"Screen", s.Shows}, {"Expected", s.Expect}} {
		if part.text != "" {
			fmt.Fprintf(w, "  %-10s  %s\n", part.name, hang(part.text, d.app.width, 14))
		}
	}
	switch {
	case s.Does == script.Digest:
		fmt.Fprintln(w)
		d.printWords(w)
	case s.Does == script.Go:
		fmt.Fprintf(w, "\n  %s\n  %s\n", d.where(), hang(planSummary(p), d.app.width, 2))
		if d.rehearsed != "" {
			fmt.Fprintf(w, "  %s\n", hang(d.rehearsed, d.app.width, 2))
		}
	case len(s.Actions) > 0:
		fmt.Fprintln(w)
		d.app.printAction(w, p, p.Actions[s.Actions[0]-1])
		for _, number := range s.Actions[1:] {
			fmt.Fprintf(w, "%s\n", actionTitle(p.Actions[number-1]))
		}
	}
	if s.Irreversible {
		fmt.Fprintf(w, "\n  This cannot be undone.\n")
	}
}

// printWords shows the four lines of the digest, each with its number. On a
// screen of 80 columns a line of eight words takes two rows.
func (d *desk) printWords(w io.Writer) {
	for i, line := range plan.WordLines(d.digest) {
		words := strings.Fields(line)
		rows := [][]string{words}
		if d.app.width < 102 {
			rows = [][]string{words[:4], words[4:]}
		}
		for n, row := range rows {
			number := " "
			if n == 0 {
				number = fmt.Sprint(i + 1)
			}
			fmt.Fprintf(w, "  %s  ", number)
			for _, word := range row {
				fmt.Fprintf(w, " %-11s", word)
			}
			fmt.Fprintln(w)
		}
	}
}

// Ask reads a line from the terminal itself.
func (d *desk) Ask(ctx context.Context, q ceremony.Question) (string, error) {
	if d.yes {
		if q.Auto == "" {
			return "", &personError{wanted: "someone must decide: " + q.Prompt, next: "run the command on a terminal, without --yes"}
		}
		if q.Words == script.GoWords {
			d.say("%s Answered by --yes.\n\n", d.where())
		}
		return q.Auto, nil
	}
	wanted, next := "someone must answer: "+q.Prompt, "run the command on a terminal"
	if q.Words != "" {
		wanted = fmt.Sprintf("someone must type %q", q.Words)
	}
	if d.script.Plan.Estate.Environment == spec.Lab {
		next += ", or answer with --yes in a lab"
	}
	tty, err := terminal(wanted, next)
	if err != nil {
		return "", err
	}
	defer tty.Close()
	prompt := q.Prompt
	if !strings.HasSuffix(prompt, "?") {
		prompt += ":"
	}
	fmt.Fprintf(tty, "  %s ", hang(prompt, d.app.width-2, 2))
	line, err := readLine(ctx, tty)
	if d.screen != nil {
		d.screen.answered = true
	}
	if errors.Is(err, io.EOF) {
		return "", &ceremony.StoppedError{Reason: "the input ended"}
	}
	return strings.TrimSpace(line), err
}

// Say puts a remark below the step.
func (d *desk) Say(text string) {
	if text == "" {
		return
	}
	text = fmt.Sprintf("  %s\n", hang(text, d.app.width, 2))
	if d.screen != nil {
		d.screen.remark(text)
	}
	d.say("%s", text)
}

// Begin says what starts.
func (d *desk) Begin(a plan.Action) {
	if d.screen != nil {
		d.screen.begin()
	}
	d.say("%4d  %s …\n", a.Number, actionName(a))
}

// Done says what came of it, and leaves it on the screen until it has been read
// aloud: at the end of a step, and of a step of many acts whenever the screen is
// full.
func (d *desk) Done(a plan.Action, r ceremony.Result) {
	d.came(a, r)
	last := len(d.step.Actions) == 0 || d.step.Actions[len(d.step.Actions)-1] == a.Number
	if d.screen != nil && (last || d.screen.full()) {
		d.screen.say("\n")
		d.screen.pause("Press Enter when it has been read.")
	}
}

func (d *desk) came(a plan.Action, r ceremony.Result) {
	switch {
	case a.Kind == plan.BackUpKey && r.Adopted:
		d.say("      done: the copy was made before the interruption and is taken over\n")
	case len(r.Said) > 0:
		for i, sentence := range r.Said {
			word := ""
			if i == 0 {
				word = "done: "
			}
			d.say("      %s\n", hang(word+sentence, d.app.width, 6))
		}
	case r.Adopted && a.Kind == plan.InitializeToken:
		d.say("      done: the token was made ready before the interruption\n")
	case r.Adopted:
		d.say("      done: the key was made before the interruption and is taken over, SPKI SHA-256 %s\n", sha256Hex(r.SPKI))
	case r.SPKI != nil:
		d.say("      done: SPKI SHA-256 %s\n", sha256Hex(r.SPKI))
	case r.DER != nil && len(r.Differ) > 0:
		d.say("      done: SHA-256 %s\n      differs from the plan's preview only in %s\n", sha256Hex(r.DER), strings.Join(plainFields(r.Differ), ", "))
	case r.DER != nil:
		d.say("      done: SHA-256 %s\n      the very bytes of the plan\n", sha256Hex(r.DER))
	default:
		d.say("      done\n")
	}
}

// say writes to standard error, with --json as well: people in the room watch
// it, and standard output belongs to the result.
func (d *desk) say(format string, args ...any) {
	if d.screen != nil {
		d.screen.say(fmt.Sprintf(format, args...))
		return
	}
	fmt.Fprintf(d.app.stderr, format, args...)
}

// plainFields gives words for the fields that a template leaves open.
func plainFields(names []string) []string {
	words := make([]string, 0, len(names))
	for _, n := range names {
		switch n {
		case "subjectPublicKeyInfo":
			n = "public key"
		case "extension 2.5.29.14":
			n = "subject key identifier"
		case "extension 2.5.29.35":
			n = "authority key identifier"
		}
		words = append(words, n)
	}
	return words
}
