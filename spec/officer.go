package spec

import (
	"slices"
	"strings"
)

// Officer is a person with a part in ceremonies.
type Officer struct {
	Origin
	Role        string // one of Roles
	PublicKey   string // SSH or JWK, in the one form of package identity; empty for one who approves nothing
	Fingerprint string // SHA256:… of the public key
	Material    string // of the public key, the same for every spelling of it
}

// Name is how officers are called: the block's name.
func (o *Officer) Name() string { return o.Address.Name }

// The roles of a ceremony. The operator is the only one who types.
const (
	Administrator = "administrator" // reads the script and decides
	Operator      = "operator"      // types
	Witness       = "witness"       // compares and keeps the paper record
	Auditor       = "auditor"       // believes nothing and reports
	Controller    = "controller"    // opens the safes
)

// Roles lists the roles that an officer can have.
func Roles() []string { return []string{Administrator, Operator, Witness, Auditor, Controller} }

// Quorum says how many officers must approve a plan before it may run.
type Quorum struct {
	Origin
	Approvals int
}

// Approvals gives how many approvals a plan needs.
func (e *Estate) Approvals() int {
	if e.Quorum == nil {
		return 0
	}
	return e.Quorum.Approvals
}

// validateOfficers checks that the approvals that the estate asks for can be
// given, each by another person.
func (e *Estate) validateOfficers(d *Diagnostics) {
	able := 0
	owners := map[string]string{}
	for _, o := range e.Officers {
		if !slices.Contains(Roles(), o.Role) {
			d.Report(o.Origin, "role", "Unknown role", "%q is not a role of a ceremony. Write %s.", o.Role, quotedList(Roles()))
		}
		if o.PublicKey == "" {
			continue
		}
		able++
		if other, taken := owners[o.Material]; taken {
			d.Report(o.Origin, "public_key", "Two officers with one key",
				"officer.%s and officer.%s have the same public key, so that one person could approve twice. Give each officer a key of their own.", other, o.Name())
		}
		owners[o.Material] = o.Name()
	}
	if q := e.Quorum; q != nil && (q.Approvals < 1 || q.Approvals > able) {
		d.Report(q.Origin, "approvals", "Quorum that cannot be reached",
			"A plan would need %d approvals; officers who have a public key to approve with: %d. Write a number from 1 to that.", q.Approvals, able)
	}
	for _, digest := range e.RevokedPlans {
		if len(digest) != 64 || strings.Trim(digest, "0123456789abcdef") != "" {
			d.Report(e.Origin, "revoked_plans", "Not the digest of a plan",
				"%q is not a SHA-256 in lower-case hexadecimal. Copy it from pki words PLAN.", digest)
		}
	}
}

func quotedList(words []string) string {
	quoted := make([]string, 0, len(words))
	for _, w := range words {
		quoted = append(quoted, `"`+w+`"`)
	}
	last := len(quoted) - 1
	return strings.Join(quoted[:last], ", ") + " or " + quoted[last]
}
