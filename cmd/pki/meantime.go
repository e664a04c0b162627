package main

import (
	"pki.internal/hsm/pkcs11"
	"pki.internal/plan"
)

// meantime starts what a ceremony would wait for later, while the plan is made
// again: helper processes for its tokens. Where people are asked, they are not
// what takes long.
func meantime(p *plan.Plan) *pkcs11.Helpers {
	return pkcs11.StartHelpers(len(p.Needs.Tokens))
}
