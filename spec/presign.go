package spec

import "slices"

// maxPresign bounds a stack of CRLs. Whoever steals it can say "nothing new is
// revoked" for as long as it reaches, so it is kept short anyway.
const maxPresign = 60

// SignsOwnCRL reports whether step-ca signs an authority's CRLs by itself.
func (e *Estate) SignsOwnCRL(a *Authority) bool {
	return slices.ContainsFunc(e.OnlineCAs, func(o *OnlineCA) bool { return o.Authority == a && o.CRL != nil && o.CRL.Enabled })
}

// validateSigners sees that the CRLs of an authority have one signer: two
// would give one number twice.
func (e *Estate) validateSigners(d *Diagnostics) {
	for _, a := range e.Authorities {
		c := a.CRL
		if c == nil || !c.OnTimer {
			continue
		}
		switch {
		case a.IsRoot():
			d.Report(c.Origin, "on_timer", "Root on a timer", "A root's key signs in ceremonies alone. Remove on_timer; presign = N signs CRLs ahead, and pki crl release publishes them on a timer.")
		case a.Key == nil:
			d.Report(c.Origin, "on_timer", "CRL of a key that lives elsewhere", "The key of %s is not here. Remove on_timer; pki crl sign --issuer --key signs its CRLs where the key is.", a.Address)
		case len(e.Children(a)) > 0:
			d.Report(c.Origin, "on_timer", "Authority above others on a timer", "The key of %s signs authorities, so it is used in ceremonies alone. Remove on_timer; presign = N signs CRLs ahead.", a.Address)
		case e.SignsOwnCRL(a):
			d.Report(c.Origin, "on_timer", "Two signers of one CRL", "step-ca signs the CRLs of %s by itself, under numbers of its own. Remove on_timer here, or crl from its online_ca.", a.Address)
		case c.Presign != 0:
			d.Report(c.Origin, "presign", "Two signers of one CRL", "The CRLs of %s are signed on a timer, so none are signed ahead. Remove presign or on_timer.", a.Address)
		}
	}
}

// validatePresign judges stacks of CRLs that are signed ahead of their time.
func (e *Estate) validatePresign(d *Diagnostics) {
	e.validateSigners(d)
	for _, a := range e.Authorities {
		a.OCSP.validate(d, a, e)
		c := a.CRL
		if c == nil || c.Presign == 0 {
			continue
		}
		switch {
		case c.Presign < 0 || c.Presign > maxPresign:
			d.Report(c.Origin, "presign", "Stack of an odd size", "%d is not a number of CRLs that one ceremony signs ahead. Write one between 0 and %d.", c.Presign, maxPresign)
		case a.Key == nil:
			d.Report(c.Origin, "presign", "CRL of a key that lives elsewhere", "The key of %s is not here, so no ceremony of this estate can sign its CRLs. Remove presign.", a.Address)
		case c.IssueEvery.IsZero():
			d.Report(c.Origin, "presign", "Stack without a step", "Each CRL of a stack begins issue_every after the one before. Add issue_every, shorter than valid_for so that they overlap.")
		case e.SignsOwnCRL(a):
			d.Report(c.Origin, "presign", "Two signers of one CRL", "step-ca signs the CRLs of %s by itself, under numbers of its own. Remove presign.", a.Address)
		case e.Lint.Profile == "webpki":
			// CABF BR §7.2: thisUpdate "Indicates the issue date of the CRL".
			d.Report(c.Origin, "presign", "Stack under the webpki profile", "There thisUpdate is the day on which a CRL is signed (CABF BR §7.2), so none can be signed ahead. Remove presign, and plan a ceremony for each CRL.")
		}
	}
}
