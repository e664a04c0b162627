package spec

// Responder is somebody who answers questions about an authority's certificates
// with a key of its own (RFC 6960 §4.2.2.2), so that the authority's key can
// stay offline.
type Responder struct {
	Origin
	Issuer     *Authority // for whose certificates it answers
	Subject    Name
	CSR        *CSR // of the responder's key, which lives elsewhere
	Validity   Duration
	IssueEvery Duration // how soon the next certificate is due; zero for the middle of its life
}

func (e *Estate) validateResponders(d *Diagnostics) {
	for _, r := range e.Responders {
		switch {
		case r.Issuer.Key == nil:
			d.Report(r.Origin, "issuer", "Issuer's key lives elsewhere",
				"The key of %s is not here, so this estate cannot sign with it, and nobody else's key may certify its responder (RFC 6960 §4.2.2.2). Name an authority with a key block.", r.Issuer.Address)
		case r.Validity.IsZero():
			d.Report(r.Origin, "validity", "Certificate without an end", "Say how long the responder's certificate counts, as in validity = \"100d\": nobody can revoke it.")
		case !r.IssueEvery.IsZero() && r.IssueEvery.From(yardstick).After(r.Validity.Last(yardstick)):
			d.Report(r.Origin, "issue_every", "Responder certified after its certificate ended",
				"A new certificate every %s leaves a gap when each counts %s. Make issue_every shorter than validity.", r.IssueEvery, r.Validity)
		case r.CSR == nil:
			d.Report(r.Origin, "csr", "Responder without a request", "Name the PKCS#10 request of the responder's key, as in csr = \"csr/ocsp.csr\".")
		}
	}
}
