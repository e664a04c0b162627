package main

import (
	"fmt"
	"os"

	"pki.internal/ceremony"
	"pki.internal/plan"
	"pki.internal/spec"
)

// planned is what lies ready for a ceremony, its rehearsal or its abort.
type planned struct {
	plan   *plan.Plan
	digest []byte   // of the plan's file
	root   *os.Root // the estate's folder; whoever gets the table closes it
	estate *spec.Estate
	tool   plan.Tool // that runs now
}

// takeUp reads a plan and the estate that it is of. yes says that nobody is
// there to answer, which only a lab allows. meantime, which may be nil, starts
// what the plan will want later.
func (a *app) takeUp(name string, yes bool, meantime func(*plan.Plan)) (*planned, error) {
	t := &planned{}
	identified := begin(tool)
	var err error
	if t.plan, t.digest, err = readPlan(name); err != nil {
		return nil, &ceremony.Refusal{Fact: err.Error(), Next: "get the file again from where it was approved, or make a new plan"}
	}
	if yes && t.plan.Estate.Environment != spec.Lab {
		return nil, &ceremony.Refusal{
			Fact: fmt.Sprintf("--yes answers for people, and this is a %s estate", t.plan.Estate.Environment),
			Next: "run the command without --yes, on a terminal",
		}
	}
	if meantime != nil {
		meantime(t.plan)
	}
	if t.root, err = a.folder(); err != nil {
		return nil, err
	}
	if t.estate, err = a.load(t.root, t.plan.Estate.Variables); err != nil {
		t.root.Close()
		return nil, err
	}
	if t.tool, err = identified(); err != nil {
		t.root.Close()
		return nil, err
	}
	return t, nil
}
