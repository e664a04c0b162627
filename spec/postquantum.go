package spec

// StepCACannotSay is why step-ca cannot run below a key of an algorithm, and
// empty when it can. step-ca, and every client of it that is written in Go,
// verifies what Go's crypto/x509 verifies, and that knows no ML-DSA before Go
// 1.27 (github.com/smallstep/certificates, issue 2717).
func StepCACannotSay(a Algorithm) string {
	if !a.PostQuantum() {
		return ""
	}
	return "step-ca neither signs nor verifies " + a.Title() + ", so it would not start, and its clients would trust nothing below that key. " +
		"Put the online CA below a root and an issuing authority of ECDSA or RSA, and keep the post-quantum tree beside it (docs/post-quantum.md)."
}

// validateAlgorithm refuses an online CA whose chain has a key that step-ca
// cannot use. The key of a request is looked at in plan, which can read it.
func (o *OnlineCA) validateAlgorithm(d *Diagnostics) {
	seen := map[*Authority]bool{}
	for a := o.Authority; a != nil && !seen[a]; a = a.Issuer {
		seen[a] = true
		if a.Key == nil || !a.Key.Algorithm.PostQuantum() {
			continue
		}
		d.Report(o.Origin, "authority", "Algorithm that step-ca cannot use", "%s has a key of %s. %s", a.Address, a.Key.Algorithm.Title(), StepCACannotSay(a.Key.Algorithm))
		return
	}
}

// Clients lists the relying parties that lint knows, in the order in which
// help shows them.
func Clients() []string {
	return []string{"browsers", "go-1.26", "go-1.27", "java-11", "java-17", "java-24", "openssl-3.0", "openssl-3.5", "step-ca"}
}
