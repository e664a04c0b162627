package hclspec

import (
	"pki.internal/spec"
	"pki.internal/spec/identity"
)

func (x *linker) linkQuorum(raw *rawEstate) {
	x.estate.RevokedPlans = raw.RevokedPlans
	if raw.Quorum != nil {
		x.estate.Quorum = &spec.Quorum{Origin: raw.Quorum.Origin, Approvals: raw.Quorum.Approvals}
	}
}

// officer reads an officer's public key, so that a wrong one is found where
// it is written and not when somebody approves.
func (x *linker) officer(raw *rawOfficer) *spec.Officer {
	o := &spec.Officer{Origin: raw.Origin, Role: raw.Role}
	if raw.PublicKey == "" {
		return o
	}
	key, err := identity.Parse(raw.PublicKey)
	if err != nil {
		x.diags.Report(o.Origin, "public_key", "Public key that cannot be read",
			"The key of %s is refused: %s. Write the line of a .pub file that ssh-keygen made, or a public JWK, as in public_key = file(\"people/%s.pub\").", o.Address, err, raw.Name)
		return o
	}
	o.PublicKey, o.Fingerprint, o.Material = key.Text(), key.Fingerprint(), key.Material()
	return o
}
