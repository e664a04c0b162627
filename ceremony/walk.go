package ceremony

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"pki.internal/ceremony/script"
	"pki.internal/hsm"
	"pki.internal/plan"
	"pki.internal/spec"
)

// walk takes the steps of the script one after the other. It is the only
// program of a ceremony: what is on the paper is what happens.
func (c *ceremony) walk(ctx context.Context) error {
	for _, step := range c.admitted.script.Steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		if c.past(step) {
			continue
		}
		if err := c.take(ctx, step); err != nil {
			return err
		}
	}
	return nil
}

// past reports whether an earlier run has carried out everything of a step.
func (c *ceremony) past(s script.Step) bool {
	return s.Does == script.Act && s.Actions[len(s.Actions)-1] <= c.done()
}

// take has a step confirmed and does the program's part of it. What the
// program looks at is looked at before people are asked.
func (c *ceremony) take(ctx context.Context, s script.Step) error {
	c.step = s
	if err := c.complete(ctx); err != nil {
		return err
	}
	c.Desk.Show(s, c.plan)
	for {
		err := c.look(s)
		if err == nil {
			if err := c.confirm(ctx, s); err != nil {
				return err
			}
			err = c.do(ctx, s)
		}
		if err == nil || !c.repeatable(s, err) {
			return err
		}
		if err := c.failed(ctx, s, err); err != nil {
			return err
		}
	}
}

// look is what the program finds out before it asks.
func (c *ceremony) look(s script.Step) error {
	switch s.Does {
	case script.Host:
		return c.offline()
	case script.Clock:
		return c.inWindow()
	case script.Go:
		return c.judgeRoom()
	case script.Media:
		if c.Copies < c.plan.Needs.Copies {
			return refuse("name a folder on each medium with --copy DIR", "the plan wants copies on %d media and %d are there", c.plan.Needs.Copies, c.Copies)
		}
	case script.Outputs:
		state := c.Book.State()
		if err := c.outputsFree(state); err != nil {
			return err
		}
		return c.outputsKept(state)
	}
	return nil
}

// do is the program's part of a step.
func (c *ceremony) do(ctx context.Context, s script.Step) error {
	switch s.Does {
	case script.Secret:
		return c.unlockSecret(ctx, s.Subject)
	case script.KeyStore:
		return c.prove(ctx, s.Subject)
	case script.Insert, script.Swap:
		return c.plug(ctx, s.Subject, true)
	case script.Go:
		return c.begin(ctx)
	case script.Act:
		return c.act(ctx, s)
	case script.Files:
		return c.files()
	case script.Close:
		return c.finish()
	}
	return nil
}

// offline refuses a production ceremony on a computer with a network, but for
// the interfaces that the plan allows.
func (c *ceremony) offline() error {
	if c.plan.Estate.Environment != spec.Production || c.Interfaces == nil {
		return nil
	}
	up, err := c.Interfaces()
	if err != nil {
		return err
	}
	up = slices.DeleteFunc(up, func(name string) bool { return slices.Contains(c.plan.Needs.Network, name) })
	if len(up) == 0 {
		return nil
	}
	return refuse("pull the cable or switch the interface off (ip link set NAME down); an HSM behind a network is named in the ceremony block: network = [\"NAME\"]",
		"this computer has a network, and a production ceremony has none: %s", list(up))
}

// inWindow holds the clock against the ledger and the window once more,
// because people may have set it since the plan was admitted.
func (c *ceremony) inWindow() error {
	if c.admitted.rehearsal { // of a day that is still to come
		return nil
	}
	return inTime(Request{Plan: c.plan, Now: c.Clock(), Built: c.admitted.built}, c.Book.State())
}

// begin opens what no step has opened, because an earlier run got further than
// the script's opening, and writes the first entry.
func (c *ceremony) begin(ctx context.Context) error {
	if len(c.plan.RestoreDrill) == 0 { // a drill opens one place after the other, for the record
		if err := c.unlock(ctx, c.Book.State()); err != nil {
			return err
		}
	}
	if err := c.open(); err != nil {
		return err
	}
	return c.flush()
}

// act carries out the actions of a step that have no entry yet.
func (c *ceremony) act(ctx context.Context, s script.Step) error {
	for _, number := range s.Actions {
		if number <= c.done() {
			continue
		}
		action := c.plan.Actions[number-1]
		if err := c.perform(ctx, action); err != nil {
			return fmt.Errorf("action %d (%s %s): %w", action.Number, action.Kind, action.Address, err)
		}
	}
	return nil
}

// files writes what is missing and reads everything again.
func (c *ceremony) files() error {
	if err := c.writeFiles(); err != nil {
		return err
	}
	for _, f := range c.Book.State().Files() {
		have, err := c.Files.Read(f.Path)
		if err != nil {
			return fmt.Errorf("%s, read again: %w", f.Path, err)
		}
		if string(have) != string(f.Data) && !c.Book.State().Released(f.Path, have) {
			return refuse("do not use this medium; go on with another folder", "%s does not hold what was written to it", f.Path)
		}
	}
	return nil
}

// finish writes the last entry.
func (c *ceremony) finish() error {
	return c.append(plan.Event{
		Kind:     plan.CeremonyFinished,
		Finished: &plan.Finished{PlanDigest: c.admitted.digest, Actions: len(c.plan.Actions)},
	})
}

// repeatable reports whether a step may be tried again in this run. That is a
// property of the failure and not of the step: never after a key, a signature
// or a drawn value, and never when a machine was told no for good.
func (c *ceremony) repeatable(s script.Step, err error) bool {
	if c.Unattended || !c.formal() || errors.Is(err, context.Canceled) {
		return false
	}
	var stopped *StoppedError
	if errors.As(err, &stopped) {
		return false
	}
	switch s.Does {
	case script.Act, script.Go, script.Close, script.SignIn:
		return false
	case script.Secret, script.KeyStore: // a PIN has tries, and a driver counts them
		return !errors.Is(err, hsm.ErrPINLocked)
	}
	return true
}

// formal reports whether people confirm every step.
func (c *ceremony) formal() bool { return c.plan.Estate.Environment != spec.Lab }
