package spec

// CrossCertificate is a second certificate for the key of an authority, signed
// by another: it joins two hierarchies, or two generations of one.
type CrossCertificate struct {
	Origin
	Subject           *Authority
	SubjectGeneration int // 0 for the newest
	Issuer            *Authority
	IssuerGeneration  int // 0 for the newest
	Validity          Duration
	ExtendedKeyUsage  []ExtKeyUsage // narrows the subject's own, none to copy them
}

// validateCrosses holds every cross-certificate against the authorities that
// it joins.
func (e *Estate) validateCrosses(d *Diagnostics) {
	for _, c := range e.Crosses {
		switch {
		case c.Subject == c.Issuer && c.SubjectGeneration == c.IssuerGeneration:
			d.Report(c.Origin, "issuer", "Cross-certificate for itself",
				"%s is both subject and issuer, with the same key. Name another issuer, or say which generation certifies which.", c.Subject.Address)
		case c.Issuer.Key == nil:
			d.Report(c.Origin, "issuer", "Issuer's key lives elsewhere",
				"The key of %s is not here, so this estate cannot sign with it. Name an authority with a key block.", c.Issuer.Address)
		case c.Issuer.CRL == nil:
			d.Report(c.Origin, "issuer", "Certificate that cannot be revoked",
				"%s signs no CRL, so nobody could ever revoke the cross-certificate. Add a crl block to %s.", c.Issuer.Address, c.Issuer.Address)
		case c.Issuer != c.Subject && e.PathLen(c.Issuer) <= e.PathLen(c.Subject):
			d.Report(c.Origin, "issuer", "Path length exceeds the issuer's",
				"%s allows %d below it, and its new issuer %s allows only %d below itself (RFC 5280 §6.1.4). Raise the issuer's path_length, in a generation of its own.",
				c.Subject.Address, e.PathLen(c.Subject), c.Issuer.Address, e.PathLen(c.Issuer))
		}
		for _, usage := range c.ExtendedKeyUsage {
			if usage.OID() == "" {
				d.Report(c.Origin, "extended_key_usage", "Unknown extended key usage", "%q is not a usage for a CA. Use %s.", usage, joinUsages())
			}
		}
		if c.SubjectGeneration < 0 || c.IssuerGeneration < 0 {
			d.Report(c.Origin, "", "Generation that does not exist", "Generations count keys, from 1 on. Write the number of one, or leave it out for the newest.")
		}
	}
}
