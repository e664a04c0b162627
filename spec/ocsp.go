package spec

// OCSP makes an authority sign answers about the certificates of the
// authorities below it, ahead of the questions: an offline key cannot answer
// any other way.
type OCSP struct {
	Origin
	URLs       []string // of the responder, for the AIA of what the authority signs
	ValidFor   Duration // how long each answer counts
	IssueEvery Duration // how soon the next one is due
}

func (o *OCSP) validate(d *Diagnostics, a *Authority, e *Estate) {
	if o == nil {
		return
	}
	for _, u := range o.URLs {
		checkURL(d, o.Origin, "urls", "OCSP responses", u)
	}
	switch {
	case a.Key == nil:
		d.Report(o.Origin, "", "OCSP responses of a key that lives elsewhere", "The key of %s is not here, so no ceremony of this estate can sign its answers. Remove the ocsp block.", a.Address)
	case len(e.Children(a)) == 0:
		d.Report(o.Origin, "", "OCSP responses about nothing", "%s has no authority below it, and answers about leaves are an online responder's work. Remove the ocsp block.", a.Address)
	case o.ValidFor.IsZero():
		d.Report(o.Origin, "valid_for", "OCSP response without an end", "Say how long each answer counts, as in valid_for = \"100d\" (RFC 6960 §2.4).")
	case !o.IssueEvery.IsZero() && o.IssueEvery.From(yardstick).After(o.ValidFor.Last(yardstick)):
		d.Report(o.Origin, "issue_every", "OCSP response issued after the last one expired", "A new answer every %s leaves a gap when each counts %s. Make issue_every shorter than valid_for.", o.IssueEvery, o.ValidFor)
	}
}
