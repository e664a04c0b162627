package plan

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"encoding/hex"
	"slices"
	"strings"

	"pki.internal/plan/tbs"
	"pki.internal/plan/tbs/public"
	"pki.internal/spec"
)

// revoked is one certificate that the estate revokes.
type revoked struct {
	entry      tbs.Entry
	from       *spec.Revocation
	generation int // of the key that signed the certificate, or anyGeneration
}

// anyGeneration stands for a key that is not known.
const anyGeneration = 0

// findRevocations gives every revocation to the authority that issued the
// certificate. One that belongs to nobody here is an error: the certificate
// would stay good.
func (m *maker) findRevocations() {
	m.revoked = map[spec.Address][]revoked{}
	for _, r := range m.estate.Revocations {
		found, owner := m.read(r)
		if owner == nil {
			continue // it has been reported
		}
		if found.entry.Date.After(m.in.At) {
			m.diags.Report(r.Origin, "date", "Revocation lies in the future",
				"The CRL would be of %s, and the certificate is revoked on %s. Write a date that has come, or plan the ceremony for later with --at.", stamp(m.in.At), r.Date)
			continue
		}
		if slices.ContainsFunc(m.revoked[owner.Address], func(other revoked) bool { return other.entry.Serial == found.entry.Serial }) {
			m.diags.Report(r.Origin, "", "Certificate revoked twice", "Another revocation names the same certificate, serial number %s of %s. Remove one of them.", found.entry.Serial, owner.Address)
			continue
		}
		m.revoked[owner.Address] = append(m.revoked[owner.Address], found)
	}
	for _, all := range m.revoked {
		slices.SortFunc(all, func(a, b revoked) int { return compareSerials(a.entry.Serial, b.entry.Serial) })
	}
}

func compareSerials(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}

// read finds out which certificate a revocation names, and who issued it.
func (m *maker) read(r *spec.Revocation) (revoked, *spec.Authority) {
	reason, err := spec.ParseReason(r.Reason)
	date, dateErr := r.When()
	if err != nil || dateErr != nil {
		return revoked{}, nil // Validate has said so
	}
	found := revoked{entry: tbs.Entry{Serial: evenHex(r.Serial), Date: date, Reason: int(reason)}, from: r}
	if r.Path == "" {
		return m.readSerial(r, found)
	}
	c, err := x509.ParseCertificate(r.DER)
	if err != nil {
		m.diags.Report(r.Origin, "certificate", "Not a certificate", "%s: %s. Name the file of the revoked certificate.", r.Path, err)
		return found, nil
	}
	found.entry.Serial = hex.EncodeToString(c.SerialNumber.Bytes())
	for _, a := range m.estate.Authorities {
		own := m.signerOf(a, c)
		if own == nil {
			continue
		}
		found.generation = own.ref.Generation
		if bytes.Equal(c.RawSubjectPublicKeyInfo, own.spki) && a.IsRoot() {
			m.diags.Report(r.Origin, "certificate", "A root cannot revoke itself",
				"%s is the certificate of the root %s. No CRL makes anybody stop trusting a root: take it out of the trust stores.", r.Path, a.Address)
			return found, nil
		}
		return found, a
	}
	m.diags.Report(r.Origin, "certificate", "Certificate of another issuer",
		"%s was issued by %q, which is no authority of this estate, so none of its CRLs can revoke it. Whoever issued it must.", r.Path, c.Issuer)
	return found, nil
}

// readSerial holds a bare serial number against what the authority is known
// to have issued: a slip of the pen would leave the bad certificate good.
func (m *maker) readSerial(r *spec.Revocation, found revoked) (revoked, *spec.Authority) {
	whole, _ := m.state.Authority(r.Authority.Address)
	for _, g := range whole.Generations {
		for _, c := range m.state.signedBy(r.Authority.Address, g.Number) {
			if hex.EncodeToString(c.parsed.SerialNumber.Bytes()) == found.entry.Serial {
				found.generation = g.Number
				return found, r.Authority
			}
		}
	}
	// The ledger does not know leaves, nor which key signed one: it stands on
	// the lists of all.
	found.generation = anyGeneration
	if m.estate.IssuesLeaves(r.Authority) {
		return found, r.Authority // the ledger does not know leaves
	}
	m.diags.Report(r.Origin, "serial", "Serial number that was never issued",
		"The ledger has no certificate of %s with the serial number %s. Name the certificate's file, or copy the number from pki show.", r.Authority.Address, found.entry.Serial)
	return found, nil
}

// signerOf gives the key of an authority that signed a certificate, nil when
// none did.
func (m *maker) signerOf(a *spec.Authority, c *x509.Certificate) *material {
	for _, own := range slices.Concat(m.olderMaterials[a.Address], []*material{m.materials[a.Address]}) {
		if own != nil && own.certificate != nil && bytes.Equal(c.RawIssuer, own.certificate.RawSubject) &&
			public.CheckCertificate(c, own.certificate) == nil {
			return own
		}
	}
	return nil
}

func evenHex(s string) string {
	s = strings.TrimLeft(s, "0")
	return strings.Repeat("0", len(s)%2) + s
}

// entries gives what an authority's next CRL lists: a revocation stays as long
// as its block does. Whoever removes one that was on a list meets the lint
// e_crlx_entry_vanished, and waives it only when the certificate has expired.
func (m *maker) entries(a *spec.Authority, generation int) []tbs.Entry {
	entries := []tbs.Entry{}
	for _, r := range m.revoked[a.Address] {
		if r.generation == generation || r.generation == anyGeneration {
			entries = append(entries, r.entry)
		}
	}
	return entries
}

// sameEntries reports whether a list says what the estate wants it to say.
func sameEntries(last *x509.RevocationList, want []tbs.Entry) bool {
	have := slices.Clone(last.RevokedCertificateEntries) // other software has an order of its own
	slices.SortStableFunc(have, func(a, b x509.RevocationListEntry) int { return a.SerialNumber.Cmp(b.SerialNumber) })
	return slices.EqualFunc(have, want, func(have x509.RevocationListEntry, w tbs.Entry) bool {
		return hex.EncodeToString(have.SerialNumber.Bytes()) == w.Serial && have.RevocationTime.Equal(w.Date) && have.ReasonCode == w.Reason
	})
}

// revokedElsewhere refuses revocations below an authority whose lists step-ca
// signs: the estate's words would be in none of them.
func (m *maker) revokedElsewhere(a *spec.Authority) {
	for _, r := range m.revoked[a.Address] {
		m.diags.Report(r.from.Origin, "", "Revocation that reaches no CRL",
			"After the first, step-ca signs the CRLs of %s by itself. Revoke the certificate there (step ca revoke), and remove this block.", a.Address)
	}
}
