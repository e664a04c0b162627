package ceremony

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"pki.internal/ceremony/script"
	"pki.internal/plan"
	"pki.internal/spec"
)

// StoppedError is a ceremony that people stopped.
type StoppedError struct {
	Before bool // nothing had been made
	Reason string
}

// Error says what is left.
func (e *StoppedError) Error() string {
	what := "stopped"
	if e.Reason != "" {
		what += ": " + e.Reason
	}
	if e.Before {
		return what + "; nothing was made"
	}
	return what
}

// Question is what the screen asks for.
type Question struct {
	Prompt string
	Words  string // that must be typed to go on, if any must
	Auto   string // what --yes answers in a lab
}

// confirm asks what a step asks for, until it is answered. Whatever else can be
// said at the table can be said here: that somebody came or left, that something
// is not as it should be, or that it is enough.
func (c *ceremony) confirm(ctx context.Context, s script.Step) error {
	asks := s.Ask != script.AskNothing
	if c.Unattended || !c.formal() {
		asks = s.Does == script.Go // once, before anything is made
	}
	if !asks {
		return nil
	}
	for {
		line, err := c.Desk.Ask(ctx, c.question(s))
		if err != nil {
			return err
		}
		done, went, err := c.remark(ctx, s, line)
		if err != nil {
			return err
		}
		if done {
			return c.taken(s, "an exception was noted, and it went on")
		}
		if went {
			continue
		}
		note, trouble, err := c.accept(ctx, s, line)
		if err != nil {
			return err
		}
		if trouble == "" && s.Does == script.Go {
			note = c.roomNote(note)
		}
		if trouble == "" {
			return c.taken(s, note)
		}
		c.Desk.Say(trouble)
	}
}

func (c *ceremony) question(s script.Step) Question {
	q := Question{Auto: "done"}
	switch s.Ask {
	case script.AskWords:
		q.Prompt, q.Words, q.Auto = fmt.Sprintf("Type %q to go on", s.Words), s.Words, s.Words
	case script.AskNames:
		q.Prompt = "Who is here? Type the names, with spaces between them"
	case script.AskClock:
		q.Prompt = "UTC on another clock, as YYYY-MM-DD HH:MM"
	case script.AskDigest:
		q.Prompt = "The first word of each of the four lines, as they are read aloud"
	default:
		q.Prompt = "Type done, or press Enter"
	}
	return q
}

// remark takes what can be said at every step. done means that the step counts
// as taken, went that the question is to be asked again.
func (c *ceremony) remark(ctx context.Context, s script.Step, line string) (done, went bool, err error) {
	word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	switch word {
	case "stop":
		return false, false, c.stop(ctx, s, rest)
	case "exception":
		decision, err := c.exception(ctx, s, "")
		return decision == plan.GoOn && s.Ask == script.AskDone, true, err
	case "arrive", "leave":
		said, err := c.come(s, word == "arrive", strings.Fields(rest))
		if err != nil {
			return false, false, err
		}
		c.Desk.Say(said)
		return false, true, c.complete(ctx)
	}
	return false, false, nil
}

// stop ends this run. What has begun can go on later.
func (c *ceremony) stop(_ context.Context, _ script.Step, reason string) error {
	return &StoppedError{Before: c.Book.State().Open == nil, Reason: strings.TrimSpace(reason)}
}

// accept judges an answer. trouble says what is wrong with it.
func (c *ceremony) accept(ctx context.Context, s script.Step, line string) (note, trouble string, err error) {
	switch s.Ask {
	case script.AskWords:
		if strings.Join(strings.Fields(line), " ") != s.Words {
			return "", fmt.Sprintf("That is not %q. Type it as it stands, or stop.", s.Words), nil
		}
		return "typed: " + s.Words, "", nil
	case script.AskNames:
		return c.signIn(s, line)
	case script.AskClock:
		return c.clockReads(ctx, line)
	case script.AskDigest:
		if trouble := digestReads(c.admitted.sum[:], line); trouble != "" {
			return "", trouble, nil
		}
		return "the words of the digest were compared", "", nil
	}
	if line = strings.TrimSpace(line); line != "" && line != "done" {
		return "", "Type done, or press Enter, when the step has been taken; exception, when it went otherwise; arrive NAME, leave NAME or stop.", nil
	}
	return "", "", nil
}

// taken notes a step that people confirmed. Before the first entry the note
// waits for it.
func (c *ceremony) taken(s script.Step, note string) error {
	if c.Unattended || !c.formal() {
		return nil
	}
	return c.note(plan.Event{Kind: plan.StepsWereTaken, Steps: &plan.StepsTaken{Steps: []plan.Taken{{
		Step: s.Number, What: s.Title, At: c.now(), By: slices.Clone(c.here), Note: note,
	}}}})
}

func (c *ceremony) now() time.Time { return c.Clock().UTC().Truncate(time.Second) }

// note enters a fact about the table now, or as soon as the ceremony has a
// first entry.
func (c *ceremony) note(e plan.Event) error {
	if c.begun {
		return c.append(e)
	}
	c.pending = append(c.pending, e)
	return nil
}

// flush enters what was said before the first entry. Steps in a row share one.
func (c *ceremony) flush() error {
	c.begun = true
	exceptions := c.Book.State().Open.Exceptions
	var joined []plan.Event
	for _, e := range c.pending {
		last := len(joined) - 1
		switch {
		case e.Steps != nil && last >= 0 && joined[last].Steps != nil:
			joined[last].Steps.Steps = append(joined[last].Steps.Steps, e.Steps.Steps...)
			continue
		case e.Exception != nil:
			exceptions++
			e.Exception.Number = exceptions
		}
		joined = append(joined, e)
	}
	c.pending = nil
	for _, e := range joined {
		if err := c.append(e); err != nil {
			return err
		}
	}
	return nil
}

// exception notes what was not as the script says, and what was decided.
func (c *ceremony) exception(ctx context.Context, s script.Step, happened string) (plan.Decision, error) {
	x := &plan.ExceptionNoted{Step: s.Number, At: c.now(), Expected: s.Expect}
	if x.Expected == "" {
		x.Expected = s.Title
	}
	var err error
	if x.Happened = happened; happened == "" {
		if x.Happened, err = c.text(ctx, "Expected was: "+x.Expected+". What happened?"); err != nil {
			return "", err
		}
	}
	for {
		answer, err := c.text(ctx, "Decision: continue, repeat, stop (to go on later) or abort (for good)?")
		if err != nil {
			return "", err
		}
		if x.Decision = plan.Decision(answer); slices.Contains(plan.Decisions(), x.Decision) {
			break
		}
		c.Desk.Say("Type one of the four words.")
	}
	for len(c.here) > 0 {
		if x.By, err = c.text(ctx, "Who decided?"); err != nil {
			return "", err
		}
		if slices.Contains(c.here, x.By) {
			break
		}
		c.Desk.Say(x.By + " is not here. Here are " + list(c.here) + ".")
	}
	return x.Decision, c.decide(ctx, s, x)
}

// decide enters an exception, and carries out a decision that ends the run.
func (c *ceremony) decide(ctx context.Context, s script.Step, x *plan.ExceptionNoted) error {
	x.Number = 1
	if open := c.Book.State().Open; open != nil {
		x.Number = open.Exceptions + 1
	}
	if err := c.note(plan.Event{Kind: plan.ExceptionHappened, Exception: x}); err != nil {
		return err
	}
	switch x.Decision {
	case plan.Stop:
		return c.stop(ctx, s, x.Happened)
	case plan.Abort:
		if c.Book.State().Open == nil {
			return &StoppedError{Before: true, Reason: x.Happened}
		}
		if err := c.abort(ctx); err != nil {
			return err
		}
		return &StoppedError{Reason: "the ceremony is aborted"}
	}
	return nil
}

// failed shows what went wrong with a step that can be tried again, and has
// people decide.
func (c *ceremony) failed(ctx context.Context, s script.Step, cause error) error {
	c.Desk.Say("This did not work: " + cause.Error() + ".")
	for {
		line, err := c.Desk.Ask(ctx, Question{Prompt: "Type exception to note it and decide, or stop"})
		if err != nil && ctx.Err() == nil {
			return cause // nobody is there to decide
		}
		if err != nil {
			return err
		}
		switch strings.TrimSpace(line) {
		case "stop":
			return cause
		case "exception":
			_, err := c.exception(ctx, s, cause.Error())
			return err
		}
		c.Desk.Say("Type exception or stop.")
	}
}

// text asks for a line that is not empty.
func (c *ceremony) text(ctx context.Context, prompt string) (string, error) {
	for {
		line, err := c.Desk.Ask(ctx, Question{Prompt: prompt})
		if err != nil {
			return "", err
		}
		if line = strings.Join(strings.Fields(line), " "); line != "" {
			return line, nil
		}
	}
}

// list puts names into a sentence.
func list(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// maxSkew is how far the other clock may be off. It is read and typed by people.
const maxSkew = 2 * time.Minute

// clockReads holds the host's clock against one that somebody reads. Where
// officers are, two of them read it.
func (c *ceremony) clockReads(ctx context.Context, line string) (note, trouble string, err error) {
	const form = "2006-01-02 15:04"
	now := c.now()
	other, err := time.Parse(form, strings.Join(strings.Fields(line), " "))
	if err != nil {
		return "", "That is not a date and a time such as " + now.Format("2006-01-02") + " 09:30.", nil
	}
	if skew := now.Sub(other).Abs(); skew > maxSkew {
		return "", fmt.Sprintf("This computer says %s, which is %s off. Set whichever clock is wrong (date -u -s), and type the time again, or stop.", now.Format("2006-01-02 15:04:05 UTC"), skew.Truncate(time.Minute)), nil
	}
	note = "another clock said " + other.Format(form) + " UTC"
	if c.clockReaders = c.here; len(c.here) < 2 {
		return note, "", nil
	}
	for {
		answer, err := c.text(ctx, "Which two of you read it?")
		if err != nil {
			return "", "", err
		}
		names := names(answer)
		if len(names) == 2 && names[0] != names[1] && slices.Contains(c.here, names[0]) && slices.Contains(c.here, names[1]) {
			c.clockReaders = names
			return note + ", read by " + list(names), "", nil
		}
		c.Desk.Say("Type two names of those who are here: " + list(c.here) + ".")
	}
}

// digestReads compares what was read aloud with the digest.
func digestReads(digest []byte, line string) (trouble string) {
	var want []string
	for _, words := range plan.WordLines(digest) {
		want = append(want, strings.Fields(words)[0])
	}
	have := strings.Fields(line)
	if len(have) != len(want) {
		return fmt.Sprintf("Type %d words.", len(want))
	}
	for i := range want {
		if !strings.EqualFold(have[i], want[i]) {
			return fmt.Sprintf("%q is not the first word of line %d of this plan. If it stands on the paper, the paper is of another plan: stop.", have[i], i+1)
		}
	}
	return ""
}

// names reads names with spaces or commas between them.
func names(line string) []string {
	return strings.FieldsFunc(line, func(r rune) bool { return r == ',' || unicode.IsSpace(r) })
}

// signIn takes down who is there.
func (c *ceremony) signIn(s script.Step, line string) (note, trouble string, err error) {
	officers := c.officers()
	var here []string
	for _, name := range names(line) {
		if _, known := officers.Officer(name); !known {
			return "", name + " is no officer. Officers are " + list(officerNames(officers)) + ".", nil
		}
		if !slices.Contains(here, name) {
			here = append(here, name)
		}
	}
	if missing := c.missing(here); missing != "" {
		return "", "Missing: " + missing + ". Type all the names again.", nil
	}
	slices.Sort(here)
	c.here, c.signedIn = here, true
	var roles []string
	for _, name := range here {
		o, _ := officers.Officer(name)
		roles = append(roles, name+" ("+o.Role+")")
	}
	return strings.Join(roles, ", "), "", nil
}

// officers are those in office, or those whom this plan appoints first.
func (c *ceremony) officers() *plan.OfficersAction { return c.admitted.officers }

func officerNames(o *plan.OfficersAction) []string {
	var all []string
	if o != nil {
		for _, one := range o.Officers {
			all = append(all, one.Name)
		}
	}
	return all
}

// missing says who has to be there and is not.
func (c *ceremony) missing(here []string) string {
	count := map[string]int{}
	for _, name := range here {
		o, _ := c.officers().Officer(name)
		count[o.Role]++
	}
	var short []string
	for _, role := range c.plan.Needs.Roles {
		want := 1
		switch role {
		case spec.Witness:
			want = c.plan.Needs.Witnesses
		case spec.Auditor:
			want = 0
		}
		if n := want - count[role]; n > 0 {
			short = append(short, fmt.Sprintf("%d %s", n, role))
		}
	}
	return strings.Join(short, ", ")
}

// come notes that somebody came or left, and says what there is to say.
func (c *ceremony) come(s script.Step, arrives bool, who []string) (said string, err error) {
	if !c.signedIn {
		return "Nobody has signed in yet.", nil
	}
	if len(who) == 0 {
		return "Type arrive or leave, and a name.", nil
	}
	change := &plan.PeopleChanged{Step: s.Number}
	here := slices.Clone(c.here)
	for _, name := range who {
		at := slices.Index(here, name)
		_, known := c.officers().Officer(name)
		switch {
		case !known:
			return name + " is no officer. Officers are " + list(officerNames(c.officers())) + ".", nil
		case arrives && at < 0:
			here, change.Arrived = append(here, name), append(change.Arrived, name)
		case !arrives && at >= 0:
			here, change.Left = slices.Delete(here, at, at+1), append(change.Left, name)
		}
	}
	if len(change.Arrived)+len(change.Left) == 0 {
		return "That changes nothing. Here are " + list(c.here) + ".", nil
	}
	slices.Sort(here)
	c.here, change.Present = here, slices.Clone(here)
	if change.Present == nil {
		change.Present = []string{}
	}
	return "Noted. Here are " + list(here) + ".", c.note(plan.Event{Kind: plan.PeopleCame, People: change})
}

// complete waits until everyone is there who has to be.
func (c *ceremony) complete(ctx context.Context) error {
	for c.signedIn {
		missing := c.missing(c.here)
		if missing == "" {
			return nil
		}
		line, err := c.Desk.Ask(ctx, Question{Prompt: "The ceremony waits. Missing: " + missing + ". Type arrive NAME, or stop"})
		if err != nil {
			return err
		}
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch word {
		case "stop":
			return c.stop(ctx, c.step, rest)
		case "arrive":
			said, err := c.come(c.step, true, strings.Fields(rest))
			if err != nil {
				return err
			}
			c.Desk.Say(said)
		}
	}
	return nil
}
