package plan

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"pki.internal/spec"
	"pki.internal/spec/identity"
)

// OfficersAction says who the officers are from now on, and how many of them
// must approve a plan. The plan that appoints them is approved by those whom
// it replaces; the first plan of all by those whom it names.
type OfficersAction struct {
	Officers  []Officer `json:"officers"`  // by name
	Approvals int       `json:"approvals"` // that a plan needs, 0 for none
}

// Officer is a person with a part in ceremonies.
type Officer struct {
	Name      string `json:"name"`
	Role      string `json:"role"`
	PublicKey string `json:"public_key,omitempty"` // of package identity; empty for one who approves nothing
}

// Appointed says that officers came into office.
type Appointed struct {
	Action   int            `json:"action"`
	Officers OfficersAction `json:"officers"`
}

// Officer finds an officer by name.
func (o *OfficersAction) Officer(name string) (Officer, bool) {
	if o == nil {
		return Officer{}, false
	}
	i := slices.IndexFunc(o.Officers, func(have Officer) bool { return have.Name == name })
	if i < 0 {
		return Officer{}, false
	}
	return o.Officers[i], true
}

// Officers gives the officers in force, nil before the first ceremony that
// appointed any.
func (s State) Officers() *OfficersAction { return s.officers }

// ApprovalNamespace is the purpose of an approval's signature: the namespace
// of ssh-keygen -Y, the type of a JWS.
const ApprovalNamespace = "pki-approval"

// ApprovalFormat names the version of the statement that is signed.
const ApprovalFormat = "pki-approval/1"

// Approval is an officer's signature under a plan. What is signed is not kept:
// Statement gives it from the plan, the officer and the role.
type Approval struct {
	Officer   string `json:"officer"`
	Role      string `json:"role"`
	Signature string `json:"signature"` // armoured OpenSSH signature, or compact JWS
}

// statement is what an officer signs.
type statement struct {
	Format      string           `json:"format"`
	Estate      string           `json:"estate"`
	Environment spec.Environment `json:"environment"`
	Plan        string           `json:"plan"` // digest, hex
	Officer     string           `json:"officer"`
	Role        string           `json:"role"`
}

// Statement gives the bytes that an officer signs to approve a plan, in
// canonical JSON. digest is the plan's, in hex.
func Statement(p *Plan, digest, officer, role string) ([]byte, error) {
	return Canonical(statement{
		Format: ApprovalFormat, Estate: p.Estate.Name, Environment: p.Estate.Environment,
		Plan: digest, Officer: officer, Role: role,
	})
}

// Approvers gives who may approve a plan and how many must: the officers in
// force, or those whom the first plan names. nil means that nobody has to.
func (s State) Approvers(p *Plan) *OfficersAction {
	if s.officers != nil {
		return s.officers
	}
	for _, a := range p.Actions {
		if a.Kind == AppointOfficers {
			return a.AppointOfficers
		}
	}
	return nil
}

// CheckApproval holds one approval against the officers who may give it.
func (s State) CheckApproval(p *Plan, digest string, a Approval) error {
	officer, known := s.Approvers(p).Officer(a.Officer)
	switch {
	case !known:
		return fmt.Errorf("%s is no officer who may approve this plan", a.Officer)
	case officer.PublicKey == "":
		return fmt.Errorf("%s has no public key to approve with", a.Officer)
	case officer.Role != a.Role:
		return fmt.Errorf("%s is %s and signed as %s", a.Officer, officer.Role, a.Role)
	}
	key, err := identity.Parse(officer.PublicKey)
	if err != nil {
		return fmt.Errorf("the public key of %s: %w", a.Officer, err)
	}
	text, err := Statement(p, digest, a.Officer, a.Role)
	if err != nil {
		return err
	}
	if err := key.Verify(ApprovalNamespace, text, a.Signature); err != nil {
		return fmt.Errorf("the approval of %s: %w", a.Officer, err)
	}
	return nil
}

// approvedBy checks that a ceremony began with the approvals it needed.
func (s *State) approvedBy(b *Begun) error {
	officers := s.Approvers(b.Plan)
	if officers == nil || s.rehearses {
		if len(b.Approvals) > 0 {
			return errors.New("it carries approvals, and there are no officers to give them")
		}
		return nil
	}
	var names []string
	for _, a := range b.Approvals {
		if slices.Contains(names, a.Officer) {
			return fmt.Errorf("%s approves twice", a.Officer)
		}
		names = append(names, a.Officer)
		if err := s.CheckApproval(b.Plan, b.PlanDigest, a); err != nil {
			return err
		}
	}
	if len(names) < officers.Approvals {
		return fmt.Errorf("its plan was approved by %d of the %d officers that it needed", len(names), officers.Approvals)
	}
	return nil
}

func (s *State) appoint(a *Appointed) error {
	action, err := s.expect(a.Action, AppointOfficers, spec.Address{})
	if err != nil {
		return err
	}
	if !reflect.DeepEqual(*action.AppointOfficers, a.Officers) {
		return errors.New("it appoints other officers than the plan says")
	}
	s.officers = &a.Officers
	s.Open.Done++
	return nil
}

// officers plans a change of the people in charge, before anything else.
func (m *maker) officers() {
	want := &OfficersAction{Officers: []Officer{}, Approvals: m.estate.Approvals()}
	for _, o := range m.estate.Officers {
		want.Officers = append(want.Officers, Officer{Name: o.Name(), Role: o.Role, PublicKey: o.PublicKey})
	}
	slices.SortFunc(want.Officers, func(a, b Officer) int { return cmp.Compare(a.Name, b.Name) })
	if m.estate.Environment == spec.Production && want.Approvals == 0 {
		m.diags.Warn(m.estate.Origin, "", "Production without approvals",
			"Nobody has to approve this plan before it runs. Describe the officers, and write quorum { approvals = 2 } into the estate block.")
	}
	have := m.state.officers
	if have == nil {
		have = &OfficersAction{Officers: []Officer{}}
	}
	if reflect.DeepEqual(have, want) {
		return
	}
	m.add(Action{Kind: AppointOfficers, AppointOfficers: want})
}
