package spec

import "regexp"

// FirstGeneration is the generation of an authority whose block says none.
const FirstGeneration = 1

// KeyGeneration gives the generation that the estate wants, 1 when it says
// none.
func (a *Authority) KeyGeneration() int { return max(a.Generation, FirstGeneration) }

// validateLifecycle holds what an authority says about its next certificate
// and its next key against itself.
func (a *Authority) validateLifecycle(d *Diagnostics) {
	if _, written := a.Attributes["generation"]; written && a.Generation < FirstGeneration {
		d.Report(a.Origin, "generation", "Generation that does not exist",
			"Generations count keys, from 1 on. Write generation = 1, or leave it out; 2 replaces the first key.")
	}
	if a.RenewBefore.IsZero() {
		return
	}
	switch {
	case !a.KeyReuse:
		d.Report(a.Origin, "renew_before", "Renewal without a key",
			"A renewed certificate is signed for the key that the authority has, and nothing says that this key may be used again. Write key_reuse = true, or leave renew_before out and write the next generation when the time comes.")
	case !a.Validity.Longer(a.RenewBefore):
		d.Report(a.Origin, "renew_before", "Renewal before the first day",
			"A certificate counts for %s, and would be renewed %s before it ends, that is at once. Shorten renew_before.", a.Validity, a.RenewBefore)
	}
}

// keptNames are the ends of file names that older generations have.
var keptNames = regexp.MustCompile(`\.g[0-9]+(-[0-9]+)?$`)

// validateKept refuses a block whose files would be called like those of an
// older generation of another.
func (o Origin) validateKept(d *Diagnostics) {
	if name := o.Address.FileName(); keptNames.MatchString(name) {
		d.Report(o, "", "Name of an older generation",
			"Files of %s would be called %q, and names that end in .g and a number belong to older generations. Choose another key.", o.Address, name)
	}
}
