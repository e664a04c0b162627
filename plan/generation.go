package plan

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"pki.internal/spec"
)

// Generation is one key of an authority and the certificates that bind it. An
// authority goes from one to the next when its key is replaced; a renewed
// certificate stays in the generation of its key.
type Generation struct {
	Number       int
	Key          *KeyMade // nil when the key lives elsewhere
	Certificates []Issued // oldest first, none before the first is signed
	CRL          []byte   // DER of the newest that this key signed, nil before the first
	CRLNumber    string   // decimal
	Stack        []PresignedCRL
	Imported     bool           // other software made it
	ImportedCRL  []byte         // DER of the last list of that software, nil when there was none
	Issued       []IssuedSerial // what that software issued, as far as its list tells
	Backups      []Backup       // copies of the key
	Sealed       bool           // the key could leave its token once, and no longer can

	Request []byte // DER of the newest request for a certificate from somebody else, nil when none was signed

	requested int       // certificates that there were when Request was signed
	opened    time.Time // when its key was made, or taken in

	spki   []byte                    // of the key
	drills map[spec.Address]KeyDrill // the last one in each place
}

// Issued is one certificate of a generation.
type Issued struct {
	DER              []byte
	Issuer           spec.Address // its own address for a root
	IssuerGeneration int          // whose key signed it
	Want             map[string]string
	Waived           map[string]string // lints that found something, by their id; why that was accepted

	parsed *x509.Certificate
}

// Certificate gives the newest certificate of the generation in DER, nil
// before the first.
func (g Generation) Certificate() []byte {
	if len(g.Certificates) == 0 {
		return nil
	}
	return g.Certificates[len(g.Certificates)-1].DER
}

// SPKI gives the generation's public key.
func (g Generation) SPKI() []byte { return g.spki }

// certificate gives the newest certificate, parsed; nil before the first.
func (g Generation) certificate() *x509.Certificate {
	if len(g.Certificates) == 0 {
		return nil
	}
	return g.Certificates[len(g.Certificates)-1].parsed
}

// with gives the authority with a generation added or changed. What an
// Authority says of itself is what its newest generation with a certificate
// says, or its newest when none has one.
func (a Authority) with(g Generation) Authority {
	i := slices.IndexFunc(a.Generations, func(have Generation) bool { return have.Number == g.Number })
	a.Generations = slices.Clone(a.Generations)
	if i < 0 {
		a.Generations = append(a.Generations, g)
	} else {
		a.Generations[i] = g
	}
	newest := a.Generations[len(a.Generations)-1]
	for _, have := range slices.Backward(a.Generations) {
		if len(have.Certificates) > 0 {
			newest = have
			break
		}
	}
	a.Generation, a.Key, a.CRL, a.CRLNumber = newest.Number, newest.Key, newest.CRL, newest.CRLNumber
	a.Stack = newest.Stack
	a.Certificate, a.Issuer, a.IssuerGeneration, a.Want = nil, spec.Address{}, 0, nil
	if n := len(newest.Certificates); n > 0 {
		last := newest.Certificates[n-1]
		a.Certificate, a.Issuer, a.IssuerGeneration, a.Want = last.DER, last.Issuer, last.IssuerGeneration, last.Want
	}
	return a
}

// At gives one generation of the authority.
func (a Authority) At(number int) (Generation, bool) {
	for _, g := range a.Generations {
		if g.Number == number {
			return g, true
		}
	}
	return Generation{}, false
}

// As gives the authority as one of its generations says it.
func (a Authority) As(number int) (Authority, bool) {
	g, known := a.At(number)
	return a.as(g), known
}

// listed gives the authority after lists of one generation have changed, as
// that generation's view of it says.
func (a Authority) listed(g Generation, view Authority) Authority {
	g.CRL, g.CRLNumber, g.Stack = view.CRL, view.CRLNumber, view.Stack
	a.HighestCRL, a.Retired = view.HighestCRL, view.Retired
	return a.with(g)
}

// last gives the highest number of a generation, 0 before the first. Its key
// may exist without a certificate while a ceremony is open.
func (a Authority) last() int {
	if len(a.Generations) == 0 {
		return 0
	}
	return a.Generations[len(a.Generations)-1].Number
}

// older lists the generations before the one that signs today.
func (a Authority) older() []Generation {
	return slices.DeleteFunc(slices.Clone(a.Generations), func(g Generation) bool { return g.Number >= a.Generation })
}

// Label names a generation as people say it: the address alone for the first.
func Label(a spec.Address, generation int) string {
	if generation <= 1 {
		return a.String()
	}
	return fmt.Sprintf("%s, generation %d", a, generation)
}

// OwnerOf finds whose key a public key is, in whichever generation, as that
// generation says it.
func (s State) OwnerOf(spki []byte) (Authority, bool) {
	for _, a := range s.Authorities() {
		for _, g := range a.Generations {
			if bytes.Equal(g.spki, spki) {
				return a.as(g), true
			}
		}
	}
	return Authority{}, false
}

// CRLFile names the file, below the estate's folder, of the list that the
// authority's key signs.
func (a Authority) CRLFile() string { return crlOutputs(a.Address, a.Generation)[0] }
