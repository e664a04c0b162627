package plan

import (
	"errors"
	"fmt"

	"pki.internal/spec"
	"pki.internal/spec/identity"
)

// AttestNamespace is the purpose of a statement about a ledger, as
// ApprovalNamespace is that of one about a plan.
const AttestNamespace = "pki-attest"

// AttestFormat names the version of the statement that is signed.
const AttestFormat = "pki-attest/1"

// Attested is an officer's signature under the head of the ledger: everything
// up to there is what the officer has seen. It stands between ceremonies, and
// the next officer's covers it.
type Attested struct {
	Officer   string `json:"officer"`
	Role      string `json:"role"`
	Head      Head   `json:"head"`             // right before this entry
	Remark    string `json:"remark,omitempty"` // what the officer does not agree with, or wants to have said
	Signature string `json:"signature"`        // armoured OpenSSH signature, or compact JWS
}

// attestation is what an officer signs.
type attestation struct {
	Format      string           `json:"format"`
	Estate      string           `json:"estate"`
	Environment spec.Environment `json:"environment"`
	Entries     int              `json:"entries"`
	Head        string           `json:"head"`
	Officer     string           `json:"officer"`
	Role        string           `json:"role"`
	Remark      string           `json:"remark"`
}

// Attestation gives the bytes that an officer signs about the ledger as it
// stands, in canonical JSON.
func (s State) Attestation(officer Officer, remark string) ([]byte, error) {
	return Canonical(attestation{
		Format: AttestFormat, Estate: s.Estate, Environment: s.Environment, Entries: s.Head.Entries, Head: s.Head.Hash,
		Officer: officer.Name, Role: officer.Role, Remark: remark,
	})
}

// CheckAttested holds a signature under the head against the officers in
// office.
func (s State) CheckAttested(a *Attested) error {
	officer, known := s.officers.Officer(a.Officer)
	switch {
	case s.Open != nil:
		return errors.New("it stands inside a ceremony")
	case !known || officer.PublicKey == "":
		return fmt.Errorf("%s is no officer with a public key", a.Officer)
	case officer.Role != a.Role:
		return fmt.Errorf("%s is %s and signed as %s", a.Officer, officer.Role, a.Role)
	case a.Head != s.Head:
		return errors.New("it is about another head than the one before it")
	}
	key, err := identity.Parse(officer.PublicKey)
	if err != nil {
		return fmt.Errorf("the public key of %s: %w", a.Officer, err)
	}
	text, err := s.Attestation(officer, a.Remark)
	if err != nil {
		return err
	}
	if err := key.Verify(AttestNamespace, text, a.Signature); err != nil {
		return fmt.Errorf("the signature of %s: %w", a.Officer, err)
	}
	return nil
}
