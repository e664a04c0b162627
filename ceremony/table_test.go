package ceremony_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pki.internal/ceremony"
	"pki.internal/ceremony/script"
	"pki.internal/plan"
	"pki.internal/spec"
)

// answer gives what was prepared for a step, by its deed or title, and else
// what a person says who does everything right.
func (s *scene) answer(q ceremony.Question) (string, error) {
	s.asked = append(s.asked, q.Prompt)
	for _, name := range []string{q.Prompt, string(s.step.Does), s.step.Title} {
		if left := s.answers[name]; len(left) > 0 {
			s.answers[name] = left[1:]
			return left[0], nil
		}
	}
	switch {
	case len(s.asked) > 500:
		return "", errors.New("the table asks without end")
	case strings.HasPrefix(q.Prompt, "Type exception to note it"):
		return "stop", nil
	case q.Prompt == "Who decided?":
		return "ada", nil
	case strings.HasPrefix(q.Prompt, "Which two"):
		return "ada grace", nil
	case strings.HasPrefix(q.Prompt, "Who is here"):
		return "ada, alan grace", nil
	case s.step.Ask == script.AskClock:
		return s.now.UTC().Format("2006-01-02 15:04"), nil
	case s.step.Ask == script.AskDigest:
		return firstWords(s.t, s.plan), nil
	}
	return q.Words, nil
}

func firstWords(t testing.TB, p *plan.Plan) string {
	t.Helper()
	digest, err := p.Digest()
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, line := range plan.WordLines(digest[:]) {
		all = append(all, strings.Fields(line)[0])
	}
	return strings.ToUpper(strings.Join(all, "  "))
}

// formalScene is an estate that people run: production, with officers of
// whom none has to approve.
func formalScene(t testing.TB) *scene {
	t.Helper()
	s := newScene(t, "two-tier")
	s.estate.Environment = spec.Production
	for _, o := range []struct{ name, role string }{{"ada", spec.Administrator}, {"alan", spec.Operator}, {"grace", spec.Witness}, {"kurt", spec.Witness}} {
		s.estate.Officers = append(s.estate.Officers, &spec.Officer{Origin: spec.Origin{Address: spec.Address{Kind: "officer", Name: o.name}}, Role: o.role})
	}
	s.answers = map[string][]string{}
	return s
}

// facts gives the facts of the ledger that have a kind.
func (s *scene) facts(kind plan.EventKind) []plan.Event {
	var found []plan.Event
	for _, e := range s.book().Entries {
		if e.Fact != nil && e.Fact.Kind == kind {
			found = append(found, *e.Fact)
		}
	}
	return found
}

func TestPeopleConfirmEveryStep(t *testing.T) {
	s := formalScene(t)
	p := s.makePlan(planTime)
	if err := s.run(p, false); err != nil {
		t.Fatal(err)
	}
	s.wholeEnd(p)
	written, err := script.Of(p)
	if err != nil {
		t.Fatal(err)
	}
	var confirmed []int
	for _, e := range s.facts(plan.StepsWereTaken) {
		for _, taken := range e.Steps.Steps {
			step, known := written.Step(taken.Step)
			if !known || step.Title != taken.What || step.Ask == script.AskNothing {
				t.Errorf("step %d is noted as %q", taken.Step, taken.What)
			}
			if taken.Step > 2 && !slices.Equal(taken.By, []string{"ada", "alan", "grace"}) {
				t.Errorf("step %d was confirmed by %v", taken.Step, taken.By)
			}
			confirmed = append(confirmed, taken.Step)
		}
	}
	var want []int
	for _, step := range written.Steps {
		if step.Ask != script.AskNothing {
			want = append(want, step.Number)
		}
	}
	if !slices.Equal(confirmed, want) {
		t.Errorf("the ledger has steps %v, the script asks for %v", confirmed, want)
	}
	if s.book().Entries[0].Fact.Kind != plan.CeremonyBegun || s.book().Entries[1].Fact.Kind != plan.StepsWereTaken {
		t.Error("what was confirmed before the first entry does not stand right after it")
	}
}

// TestPowerCutWithPeople cuts the power at every effect of a ceremony in which
// people confirm every step: the same end, and no second key.
func TestPowerCutWithPeople(t *testing.T) {
	probe := formalScene(t)
	if err := probe.run(probe.makePlan(planTime), false); err != nil {
		t.Fatal(err)
	}
	if len(probe.effects) < 30 {
		t.Fatalf("only %d effects: %q", len(probe.effects), probe.effects)
	}
	for at := range probe.effects {
		t.Run(fmt.Sprintf("%02d %s", at+1, probe.effects[at]), func(t *testing.T) {
			t.Parallel()
			s := formalScene(t)
			p := s.makePlan(planTime)
			s.cutAt, s.after = at+1, at%2 == 0
			if err := s.run(p, false); !errors.Is(err, errCut) {
				t.Fatalf("got %v, want the power cut", err)
			}
			s.again()
			if err := s.run(p, true); err != nil {
				t.Fatalf("going on: %v", err)
			}
			s.wholeEnd(p)
			signedIn := 0
			for _, e := range s.facts(plan.StepsWereTaken) {
				for _, taken := range e.Steps.Steps {
					if taken.What == "Say who is here" {
						signedIn++
					}
				}
			}
			if signedIn < 1 {
				t.Error("nobody signed in")
			}
		})
	}
}

// TestWrongAnswers is a table of answers that are not taken, and what the
// screen says to them.
func TestWrongAnswers(t *testing.T) {
	for _, test := range []struct{ step, answer, says string }{
		{"sign_in", "ada alan", "Missing: 1 witness"},
		{"sign_in", "ada alan eve", "eve is no officer. Officers are ada, alan, grace and kurt."},
		{"sign_in", "", "Missing: 1 administrator, 1 operator, 1 witness"},
		{"clock", "10 o'clock", "That is not a date and a time"},
		{"clock", "2026-12-01 09:30", "which is 30m0s off"},
		{"digest", "one two three four", `"one" is not the first word of line 1 of this plan`},
		{"digest", "one", "Type 4 words."},
		{"go", "y", `That is not "carry out this plan"`},
		{"go", "arrive eve", "eve is no officer"},
		{"go", "arrive ada", "That changes nothing. Here are ada, alan and grace."},
		{"host", "ok", "Type done, or press Enter"},
		{"act", "sign", `That is not "make key root"`},
	} {
		t.Run(test.step+" "+test.answer, func(t *testing.T) {
			s := formalScene(t)
			s.answers[test.step] = []string{test.answer}
			p := s.makePlan(planTime)
			if err := s.run(p, false); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(strings.Join(s.said, "\n"), test.says) {
				t.Errorf("the screen said %q, want %q", s.said, test.says)
			}
			s.wholeEnd(p)
		})
	}
}

// TestSomebodyLeaves: below the quorum the ceremony waits.
func TestSomebodyLeaves(t *testing.T) {
	s := formalScene(t)
	s.answers["act"] = []string{"leave grace"}
	s.answers["The ceremony waits. Missing: 1 witness. Type arrive NAME, or stop"] = []string{"", "arrive kurt"}
	p := s.makePlan(planTime)
	if err := s.run(p, false); err != nil {
		t.Fatal(err)
	}
	changes := s.facts(plan.PeopleCame)
	if len(changes) != 2 || !slices.Equal(changes[0].People.Left, []string{"grace"}) || !slices.Equal(changes[1].People.Present, []string{"ada", "alan", "kurt"}) {
		t.Errorf("changes: %+v", changes)
	}
}

func TestExceptions(t *testing.T) {
	s := formalScene(t)
	s.answers["host"] = []string{"exception"}
	s.answers["go"] = []string{"exception"}
	s.answers["Expected was: nobody objects. What happened?"] = []string{"the light went out"}
	s.answers["Decision: continue, repeat, stop (to go on later) or abort (for good)?"] = []string{"continue", "hm", "repeat"}
	s.answers["Who decided?"] = []string{"eve", "ada"}
	what := "Expected was: no network; swap, core dumps and printers as pki doctor wants them. What happened?"
	s.answers[what] = []string{"", "a printer is connected"}
	p := s.makePlan(planTime)
	if err := s.run(p, false); err != nil {
		t.Fatal(err)
	}
	noted := s.facts(plan.ExceptionHappened)
	if len(noted) != 2 {
		t.Fatalf("%d exceptions, want 2", len(noted))
	}
	first, second := noted[0].Exception, noted[1].Exception
	if first.Number != 1 || first.Happened != "a printer is connected" || first.Decision != plan.GoOn || first.By != "" && first.By != "ada" {
		t.Errorf("first: %+v", first)
	}
	if second.Number != 2 || second.Decision != plan.Repeat {
		t.Errorf("second: %+v", second)
	}
	if _, err := s.admit(p, false); err == nil {
		t.Error("a ceremony that was held is admitted")
	}
}

// TestStop: before the decision nothing is left, after it the ceremony goes on
// later.
func TestStop(t *testing.T) {
	s := formalScene(t)
	s.answers["go"] = []string{"stop no time"}
	p := s.makePlan(planTime)
	var stopped *ceremony.StoppedError
	if err := s.run(p, false); !errors.As(err, &stopped) || !stopped.Before || len(s.book().Entries) != 0 {
		t.Fatalf("Run = %v with %d entries", err, len(s.book().Entries))
	}
	s.answers["act"] = []string{"make key root", "stop"}
	if err := s.run(p, false); !errors.As(err, &stopped) || stopped.Before {
		t.Fatalf("Run = %v", err)
	}
	s.now = s.now.Add(time.Hour)
	if err := s.run(p, true); err != nil {
		t.Fatal(err)
	}
	s.wholeEnd(p)
}

// TestNetworkInProduction refuses a network that the plan does not allow.
func TestNetworkInProduction(t *testing.T) {
	s := formalScene(t)
	s.up = []string{"eth0", "eth1"}
	s.estate.Ceremony = &spec.Ceremony{Network: []string{"eth1"}}
	p := s.makePlan(planTime)
	s.answers["Type exception to note it and decide, or stop"] = []string{"stop"}
	wantRefusal(t, s.run(p, false), "a production ceremony has none: eth0")
	s.up = []string{"eth1"}
	if err := s.run(p, false); err != nil {
		t.Fatal(err)
	}
}

// TestAbort ends a ceremony at every point, and the next plan goes on from
// what there is, without a second key.
func TestAbort(t *testing.T) {
	for cut := 2; ; cut++ {
		s := newScene(t, "two-tier")
		p := s.makePlan(planTime)
		s.cutAt, s.after = cut, cut%2 == 0
		err := s.run(p, false)
		if err == nil {
			break
		}
		if !errors.Is(err, errCut) {
			t.Fatal(err)
		}
		s.again()
		if s.book().State().Open == nil {
			continue
		}
		admitted, err := s.admit(p, true)
		if err != nil {
			t.Fatalf("cut %d: %v", cut, err)
		}
		if err := s.abort(admitted); err != nil {
			t.Fatalf("cut %d: abort: %v", cut, err)
		}
		if _, err := s.admit(p, true); err == nil {
			t.Fatalf("cut %d: an aborted plan is admitted", cut)
		}
		made := slices.Clone(s.keys.made)
		s.now = s.now.Add(time.Hour)
		second := s.makePlan(s.now)
		if len(second.Actions) > 0 {
			if err := s.run(second, false); err != nil {
				t.Fatalf("cut %d: after the abort: %v", cut, err)
			}
		}
		for _, location := range made {
			if n := count(s.keys.made, location); n != 1 {
				t.Errorf("cut %d: the key in %s was made %d times", cut, location, n)
			}
		}
		if last := s.makePlan(s.now); len(last.Actions) != 0 {
			t.Errorf("cut %d: %d actions are left", cut, len(last.Actions))
		}
	}
}

// TestAbortAfterASignature aborts at the table, in the run after one that died
// between the signature of a CRL and its entry: nobody has seen that CRL, and its
// number is used up.
func TestAbortAfterASignature(t *testing.T) {
	probe := formalScene(t)
	if err := probe.run(probe.makePlan(planTime), false); err != nil {
		t.Fatal(err)
	}
	s := formalScene(t)
	p := s.makePlan(planTime)
	s.cutAt, s.after = slices.Index(probe.effects, "entry "+string(plan.CRLSigned)), true // the signature stands right before
	if err := s.run(p, false); !errors.Is(err, errCut) || s.effects[len(s.effects)-1] != "signature" {
		t.Fatalf("got %v at %q", err, s.effects[len(s.effects)-1])
	}
	s.again()
	s.answers["Sign CRL 1 of authority.root"] = []string{"exception", "nobody knows whether it signed", "abort", "ada"}
	var stopped *ceremony.StoppedError
	if err := s.run(p, true); !errors.As(err, &stopped) {
		t.Fatal(err)
	}
	if ended := s.facts(plan.CeremonyAborted); len(ended) != 1 || !ended[0].Aborted.MaybeSigned {
		t.Fatalf("aborted: %+v", ended)
	}
	for _, a := range s.makePlan(s.now).Actions {
		if a.Kind == plan.SignCRL && a.Address.Name == "root" && a.SignCRL.Number != "2" {
			t.Errorf("the next CRL of the root has number %s", a.SignCRL.Number)
		}
	}
}

func count(all []string, one string) int {
	n := 0
	for _, s := range all {
		if s == one {
			n++
		}
	}
	return n
}
