package main

import (
	"crypto/elliptic"

	"pki.internal/hsm/pkcs11"
	"pki.internal/lint"
	"pki.internal/plan"
	"pki.internal/spec"
)

// meantime starts what a ceremony would wait for later, while the plan is made
// again: helper processes for its tokens, and the tables of zlint's search for
// small private keys. Where people are asked, neither is what takes long.
func meantime(p *plan.Plan) *pkcs11.Helpers {
	curves := map[elliptic.Curve]bool{}
	for _, a := range p.Actions {
		if a.GenerateKey == nil {
			continue
		}
		switch a.GenerateKey.Algorithm {
		case spec.ECDSAP256:
			curves[elliptic.P256()] = true
		case spec.ECDSAP384:
			curves[elliptic.P384()] = true
		case spec.ECDSAP521:
			curves[elliptic.P521()] = true
		}
	}
	for curve := range curves {
		go lint.PrepareCurve(curve)
	}
	return pkcs11.StartHelpers(len(p.Needs.Tokens))
}
