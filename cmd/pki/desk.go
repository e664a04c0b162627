package main

import (
	"context"
	"fmt"
	"strings"

	"pki.internal/ceremony"
	"pki.internal/plan"
)

// desk is the screen of a ceremony. What happens goes to standard error as it
// happens; the result goes to standard output at the end.
type desk struct {
	app    *app
	yes    bool
	digest []byte
}

// confirmation is what people type before anything is made.
const confirmation = "carry out this plan"

// Confirm shows the whole plan and asks for the words.
func (d *desk) Confirm(ctx context.Context, p *plan.Plan, resumed bool) error {
	var b strings.Builder
	d.app.printPlan(&b, p, d.digest)
	d.say("%s\n", b.String())
	question := "Nothing has been made yet."
	if resumed {
		question = "This ceremony was interrupted and goes on where it stopped."
	}
	if d.yes {
		d.say("%s Answered by --yes.\n\n", question)
		return nil
	}
	next := "run the command on a terminal"
	if p.Estate.Environment == "lab" {
		next += ", or answer with --yes in a lab"
	}
	return typeWords(ctx, question+" "+planSummary(p), confirmation, next)
}

// Begin says what starts.
func (d *desk) Begin(a plan.Action) { d.say("%4d  %s …\n", a.Number, actionName(a)) }

// Done says what came of it.
func (d *desk) Done(a plan.Action, r ceremony.Result) {
	switch {
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
func (d *desk) say(format string, args ...any) { fmt.Fprintf(d.app.stderr, format, args...) }

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
