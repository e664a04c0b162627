package ceremony

import (
	"fmt"
	"slices"
	"strings"

	"pki.internal/lint"
	"pki.internal/spec"
)

// judgeRoom puts on the screen, before people decide, what lint says of the room:
// whether this plan was rehearsed, who read the clock, which network is up. It
// gives the names of what was found, for the record. It stops nothing: what must
// not be is refused at its own step.
func (c *ceremony) judgeRoom() error {
	c.roomFindings = nil
	if !c.formal() || c.admitted.rehearsal {
		return nil
	}
	facts := lint.CeremonyFacts{
		Digest: c.admitted.digest, Rehearsed: c.Rehearsed, ClockReaders: c.clockReaders,
		Tools: []lint.Tool{{Name: "pki", Pinned: c.plan.Tool.SHA256, Actual: c.Tool.SHA256}},
	}
	if c.Interfaces != nil {
		up, err := c.Interfaces()
		if err != nil {
			return err
		}
		facts.Network = slices.DeleteFunc(up, func(name string) bool { return slices.Contains(c.plan.Needs.Network, name) })
	}
	estate := lint.Estate{Production: c.plan.Estate.Environment == spec.Production, Ceremony: &facts}
	judged, _ := c.policy.Judge(spec.Address{}.String(), c.linter.Estate(estate, c.now()), c.now())
	for _, f := range judged {
		word := f.Severity.String()
		if f.Waived != "" {
			word = "waived " + word
		}
		c.Desk.Say(fmt.Sprintf("Lint, %s: %s (%s). %s.", word, f.Detail, f.Lint, strings.ToUpper(f.Advice[:1])+f.Advice[1:]))
		c.roomFindings = append(c.roomFindings, f.Lint)
	}
	return nil
}

// roomNote adds to what is noted of the decision what lint had said before it.
func (c *ceremony) roomNote(note string) string {
	if len(c.roomFindings) == 0 {
		return note
	}
	return note + "; lint had found " + strings.Join(c.roomFindings, ", ")
}
