package plan

import (
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	"pki.internal/spec"
)

// PresignedCRL is a CRL that was signed ahead of its time and is neither void
// nor replaced.
type PresignedCRL struct {
	Number     string    // decimal
	SHA256     string    // of the DER, hex
	DER        []byte    // nil in a copy of the ledger that withholds it
	ThisUpdate time.Time // when it may be released
	NextUpdate time.Time
}

// Output is where the CRL waits, below the estate's folder.
func (p PresignedCRL) Output(a spec.Address) string { return stackOutput(a, p.Number) }

// stackOutput names a CRL that waits for its time. An authority's name has no
// dot, so no two of them share a file.
func stackOutput(a spec.Address, number string) string {
	return "crls/stack/" + a.FileName() + "." + number + ".crl"
}

// stack plans the CRLs that follow an authority's next one: each begins
// issue_every after the one before and is otherwise the same.
func (m *maker) stack(a *spec.Authority, own *material, first *CRLAction, previous []byte) {
	number := decimal(first.Number)
	at := first.Template.ThisUpdate
	for slot := 1; slot <= a.CRL.Presign; slot++ {
		number = new(big.Int).Add(number, big.NewInt(1))
		at = a.CRL.IssueEvery.From(at)
		if end := a.CRL.ValidFor.Last(at); end.After(own.certificate.NotAfter) {
			m.diags.Report(a.CRL.Origin, "presign", "Stack that outlives its issuer",
				"CRL %d of the stack would count until %s, and %s ends on %s (RFC 5280 §5.1.2.5). Write presign = %d.", slot, stamp(end), a.Address, stamp(own.certificate.NotAfter), slot-1)
			return
		}
		action := &CRLAction{Number: number.String(), Issuer: own.ref, Slot: slot}
		action.Outputs = []string{stackOutput(a.Address, action.Number)}
		der, ok := m.signCRL(a, own, action, at, first.Template.Entries, previous)
		if !ok {
			return
		}
		previous = der
	}
}

// decimal reads a CRL number that was checked when it was written; nothing is
// zero.
func decimal(number string) *big.Int {
	n, ok := new(big.Int).SetString(number, 10)
	if !ok {
		return new(big.Int)
	}
	return n
}

// NewestCRL gives the CRL with the highest number that still counts: the last
// of the stack, or the newest of all.
func (a Authority) NewestCRL() []byte {
	if n := len(a.Stack); n > 0 && a.Stack[n-1].DER != nil {
		return a.Stack[n-1].DER
	}
	return a.CRL
}

// waiting lists the numbers of the stack that have not begun at a moment. A
// new CRL makes them void: they do not know of what it revokes.
func (a Authority) waiting(at time.Time) []string {
	var numbers []string
	for _, p := range a.Stack {
		if p.ThisUpdate.After(at) {
			numbers = append(numbers, p.Number)
		}
	}
	return numbers
}

// Due gives the CRL that belongs under the authority's name at a moment: the
// newest that has begun. Which one that is follows from the ledger and the
// clock alone, so every machine that has the ledger releases the same. The DER
// is nil when this copy of the ledger withholds it.
func (a Authority) Due(at time.Time) (der []byte, number string) {
	der, number = a.CRL, a.CRLNumber
	for _, p := range a.Stack {
		if !p.ThisUpdate.After(at) {
			der, number = p.DER, p.Number
		}
	}
	return der, number
}

// replaceCRL takes a CRL that counts at once: what was signed ahead before is
// void, or has been replaced.
func (a *Authority) replaceCRL(signed *Signed) {
	a.Retired = slices.Clone(a.Retired)
	for _, p := range a.Stack {
		a.Retired = append(a.Retired, p.Number)
	}
	a.Stack = nil
	a.CRL, a.CRLNumber, a.HighestCRL = signed.DER, signed.Number, signed.Number
}

// checkVoids holds what a CRL says it makes void against what waits.
func checkVoids(a Authority, action *CRLAction) error {
	at := action.Template.ThisUpdate
	var want []string
	if action.Slot == 0 {
		want = a.waiting(at)
	}
	if !slices.Equal(action.Voids, want) {
		return fmt.Errorf("it makes the CRLs %v void, and %v wait for their time", action.Voids, want)
	}
	if decimal(action.Number).Cmp(decimal(a.HighestCRL)) <= 0 {
		return fmt.Errorf("its CRL number %s is not above %s, which has been signed", action.Number, a.HighestCRL)
	}
	return nil
}

// Retired lists files of CRLs that waited for their time and are void now, or
// have been replaced.
func (s State) Retired() []string {
	var gone []string
	for _, a := range s.Authorities() {
		for _, number := range a.Retired {
			gone = append(gone, stackOutput(a.Address, number))
		}
	}
	return gone
}

// stackFiles gives the files of an authority's CRLs that wait for their time.
func stackFiles(a Authority) []File {
	var files []File
	for _, p := range a.Stack {
		if p.DER != nil {
			files = append(files, File{p.Output(a.Address), 0o600, p.DER})
		}
	}
	return files
}

// Released reports whether a file's bytes are those of a CRL that was signed
// ahead and may have been released under that name since, so that it is not
// put back to the one before.
func (s State) Released(path string, data []byte) bool {
	for _, a := range s.Authorities() {
		for _, g := range a.Generations {
			names := crlOutputs(a.Address, g.Number)
			for _, p := range g.Stack {
				if p.DER == nil {
					continue
				}
				if path == names[0] && bytes.Equal(data, p.DER) || path == names[1] && bytes.Equal(data, CRLPEM(p.DER)) {
					return true
				}
			}
		}
	}
	return false
}

// CRLPEM gives a CRL as PEM (RFC 7468 §7).
func CRLPEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der})
}

// What stands in the way of a release.
var (
	ErrNoCRL       = errors.New("the ledger has no CRL of it")
	ErrCRLWithheld = errors.New("this copy of the ledger is without the CRLs that were signed ahead; use the full one")
)

// Release gives the files that belong under the authority's name at a moment,
// DER and PEM.
func (a Authority) Release(at time.Time) ([]File, error) {
	der, number := a.Due(at)
	switch {
	case number == "":
		return nil, ErrNoCRL
	case der == nil:
		return nil, ErrCRLWithheld
	}
	names := crlOutputs(a.Address, a.Generation)
	return []File{{names[0], 0o644, der}, {names[1], 0o644, CRLPEM(der)}}, nil
}
