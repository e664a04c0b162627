package plan

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"pki.internal/plan/tbs"
	"pki.internal/plan/tbs/public"
	"pki.internal/spec"
)

// AdoptAction takes an authority that other software made into the ledger, as
// it is. Nothing is signed.
type AdoptAction struct {
	Generation       int               `json:"generation"`
	Issuer           spec.Address      `json:"issuer"` // its own address for a root
	IssuerGeneration int               `json:"issuer_generation"`
	Certificate      []byte            `json:"certificate"` // DER
	CRL              []byte            `json:"crl,omitempty"`
	CRLNumber        string            `json:"crl_number,omitempty"` // decimal
	Issued           []IssuedSerial    `json:"issued,omitempty"`
	Key              *KeyAction        `json:"key,omitempty"` // where the key is; absent when it stays elsewhere
	SPKI             []byte            `json:"spki"`
	Want             map[string]string `json:"want"`
	Outputs          []string          `json:"outputs"`
}

// Adopted says that an authority was taken in, and what was seen of its key.
type Adopted struct {
	Action      int          `json:"action"`
	Address     spec.Address `json:"address"`
	Generation  int          `json:"generation"`
	Certificate []byte       `json:"certificate"` // DER
	CRL         []byte       `json:"crl,omitempty"`
	KeySeen     bool         `json:"key_seen"` // its key was opened and is the certificate's
	Evidence    []Evidence   `json:"evidence,omitempty"`
}

// adopt plans to take an authority in. It gives false when nothing of the kind
// is to be done.
func (m *maker) adopt(a *spec.Authority) bool {
	if a.Import == nil {
		return false
	}
	certificate, err := x509.ParseCertificate(a.Import.Certificate)
	if err != nil {
		m.diags.Report(a.Import.Origin, "certificate", "Import that cannot be read", "%s: %s. Name the certificate of %s, as PEM or DER.", a.Import.Path, err, a.Address)
		return true
	}
	if tbs.FromRehearsal(certificate) && m.estate.Environment != spec.Rehearsal {
		m.diags.Report(a.Import.Origin, "certificate", "Import from a rehearsal", "%s was made in a rehearsal, and nothing of one ever becomes real. Name the certificate of %s that clients trust.", a.Import.Path, a.Address)
		return true
	}
	action := &AdoptAction{
		Generation: a.KeyGeneration(), Issuer: a.Address, IssuerGeneration: a.KeyGeneration(), Certificate: a.Import.Certificate,
		SPKI: certificate.RawSubjectPublicKeyInfo, Want: wanted(m.estate, a), Outputs: certificateOutputs(a.Address, a.IsRoot()),
	}
	own := &material{
		ref:  KeyRef{Address: a.Address, Generation: action.Generation, SPKI: action.SPKI},
		spki: action.SPKI, certificate: certificate, imported: true,
	}
	own.ref.Algorithm, _ = tbs.AlgorithmOfSPKI(own.spki) // one that cannot sign here is refused below where it must
	if a.Key != nil {
		own.ref.Algorithm = a.Key.Algorithm
	}
	if !m.adoptIssuer(a, action, certificate) || !m.fits(a, certificate) || !m.adoptKey(a, action, own) || !m.adoptLists(a, action, certificate) {
		return true
	}
	m.materials[a.Address] = own
	m.around.addKey(Label(a.Address, action.Generation), own.spki)
	m.around.add(Label(a.Address, action.Generation), certificate)
	m.add(Action{Kind: Adopt, Address: a.Address, Irreversible: true, Adopt: action})
	m.adopted[a.Address] = generationOf(action, certificate)
	return true
}

// generationOf gives what an adopted authority begins with.
func generationOf(action *AdoptAction, certificate *x509.Certificate) Generation {
	g := Generation{
		Number: action.Generation, CRL: action.CRL, CRLNumber: action.CRLNumber, Imported: true, Issued: action.Issued, spki: action.SPKI,
		ImportedCRL: action.CRL,
	}
	g.Certificates = []Issued{{
		DER: action.Certificate, Issuer: action.Issuer, IssuerGeneration: action.IssuerGeneration, Want: action.Want, parsed: certificate,
	}}
	return g
}

// adoptIssuer holds the certificate against the key that is said to have
// signed it.
func (m *maker) adoptIssuer(a *spec.Authority, action *AdoptAction, c *x509.Certificate) bool {
	above := c
	if a.Issuer != nil {
		issuer := m.materials[a.Issuer.Address]
		if issuer == nil || issuer.certificate == nil {
			return false // reported there
		}
		found := m.signerOf(a.Issuer, c)
		if found == nil {
			m.diags.Report(a.Import.Origin, "certificate", "Import of another issuer",
				"%s was issued by %q, and not by a key of %s. Name the issuer that signed it.", a.Import.Path, c.Issuer, a.Issuer.Address)
			return false
		}
		above, action.Issuer, action.IssuerGeneration = found.certificate, a.Issuer.Address, found.ref.Generation
	}
	if err := public.CheckCertificate(c, above); err != nil || !bytes.Equal(c.RawIssuer, above.RawSubject) {
		m.diags.Report(a.Import.Origin, "certificate", "Import that nobody here signed",
			"%s was issued by %q and is not self-signed. Declare its issuer as an authority, imported by its certificate alone, and write issuer = authority.NAME.", a.Import.Path, c.Issuer)
		return false
	}
	return true
}

// fits refuses an estate that describes another certificate than the one that
// comes in: the next one would silently be made to the estate's words.
func (m *maker) fits(a *spec.Authority, c *x509.Certificate) bool {
	good := true
	differ := func(word, have, want string) {
		good = false
		m.diags.Report(a.Origin, word, "Estate differs from the imported certificate",
			"%s of %s is %q in %s, and %q here. Write what the certificate says; change it with the next certificate.", word, a.Address, have, a.Import.Path, want)
	}
	want, err := tbs.EncodeName(a.Subject)
	if have := plainName(c.RawSubject); err != nil || have != plainName(want) {
		differ("subject", have, plainName(want))
	}
	if !c.IsCA {
		good = false
		m.diags.Report(a.Import.Origin, "certificate", "Import of a leaf", "%s is no certificate of an authority. Name the authority's own.", a.Import.Path)
	}
	if a.PathLength != nil && (c.MaxPathLen != *a.PathLength) {
		differ("path_length", fmt.Sprint(c.MaxPathLen), fmt.Sprint(*a.PathLength))
	}
	if a.Key != nil {
		if have, err := tbs.AlgorithmOfSPKI(c.RawSubjectPublicKeyInfo); err != nil || have != a.Key.Algorithm.KeyType() {
			name := string(have)
			if err != nil {
				name = public.NameOf(c.RawSubjectPublicKeyInfo)
			}
			differ("key", name, string(a.Key.Algorithm))
		}
	}
	return good
}

// adoptKey says where the key is; the ceremony opens it.
func (m *maker) adoptKey(a *spec.Authority, action *AdoptAction, own *material) bool {
	if owner, taken := m.ours(own.spki, a); taken {
		m.diags.Report(a.Import.Origin, "certificate", "Import with one of our own keys", "The key in %s is that of %s. An authority is imported once. Remove one of them.", a.Import.Path, owner)
		return false
	}
	if a.Key == nil {
		return true
	}
	key := &KeyAction{
		Generation: action.Generation, Store: a.Key.Store.Address, Algorithm: a.Key.Algorithm,
		KeyID: a.Import.KeyID, Label: a.Import.KeyLabel, Location: a.Import.KeyFile,
	}
	if a.Key.Store.Token != nil {
		id, err := hex.DecodeString(a.Import.KeyID)
		if err != nil {
			return false // Validate has said so
		}
		key.Location = a.Key.Store.Token.KeyURI(id, a.Import.KeyLabel)
	}
	if key.Label == "" {
		key.Label = keyName(a)
	}
	action.Key = key
	m.useSecret(a.Key.Store.Password)
	return true
}

// adoptLists takes over the last revocation list and what was issued.
func (m *maker) adoptLists(a *spec.Authority, action *AdoptAction, c *x509.Certificate) bool {
	if a.Import.Index != nil {
		issued, err := readIndex(a.Import.Index)
		if err != nil {
			m.diags.Report(a.Import.Origin, "index", "Import that cannot be read", "%s, %s. Name openssl's index.txt.", a.Import.IndexPath, err)
			return false
		}
		action.Issued = issued
	}
	if a.Import.CRL == nil {
		return true
	}
	list, err := x509.ParseRevocationList(a.Import.CRL)
	switch {
	case err != nil:
		m.diags.Report(a.Import.Origin, "crl", "Import that cannot be read", "%s: %s. Name the last CRL, as PEM or DER.", a.Import.CRLPath, err)
		return false
	case public.CheckList(list, c) != nil:
		m.diags.Report(a.Import.Origin, "crl", "CRL of another issuer", "%s was not signed by the key in %s. Name the last CRL of %s.", a.Import.CRLPath, a.Import.Path, a.Address)
		return false
	}
	action.CRL, action.CRLNumber = a.Import.CRL, numberOf(list)
	action.Outputs = append(action.Outputs, crlOutputs(a.Address, action.Generation)...)
	return true
}

// numberOf gives a list's number, 0 for one that has none.
func numberOf(list *x509.RevocationList) string {
	if list.Number == nil {
		return "0"
	}
	return list.Number.String()
}

// plainName gives a name in words, whatever string types it is encoded in.
func plainName(der []byte) string {
	var name pkix.RDNSequence
	if _, err := asn1.Unmarshal(der, &name); err != nil {
		return err.Error()
	}
	return name.String()
}

// keyless refuses to sign for an authority that was imported by its
// certificate alone.
func (m *maker) keyless(a *spec.Authority) bool {
	if a.Key != nil || a.CSR != nil {
		return false
	}
	m.diags.Report(a.Origin, "import", "New certificate for a key that is not here",
		"%s was imported by its certificate alone, so nothing new can be made for it. Add a key block or a csr, or restore the old values.", a.Address)
	return true
}

// imported lists what other software has revoked with an adopted key: on its
// last list, or in its index and not yet on any.
func (g Generation) imported() []tbs.Entry {
	var all []tbs.Entry
	seen := map[string]bool{}
	if list, err := x509.ParseRevocationList(g.ImportedCRL); err == nil {
		for _, e := range list.RevokedCertificateEntries {
			serial := hex.EncodeToString(e.SerialNumber.Bytes())
			seen[serial] = true
			all = append(all, tbs.Entry{Serial: serial, Date: e.RevocationTime.UTC(), Reason: e.ReasonCode})
		}
	}
	for _, one := range g.Issued {
		if n, ok := new(big.Int).SetString(one.Serial, 16); ok && one.Revoked != nil {
			if serial := hex.EncodeToString(n.Bytes()); !seen[serial] {
				all = append(all, tbs.Entry{Serial: serial, Date: *one.Revoked, Reason: one.Reason})
			}
		}
	}
	return all
}

func (s *State) adopt(e *Adopted) error {
	action, err := s.expect(e.Action, Adopt, e.Address)
	if err != nil {
		return err
	}
	planned := action.Adopt
	c, err := x509.ParseCertificate(planned.Certificate)
	if err != nil {
		return fmt.Errorf("its certificate: %w", err)
	}
	_, known := s.Authority(e.Address)
	switch {
	case known:
		return fmt.Errorf("%s is in the ledger already", e.Address)
	case !bytes.Equal(e.Certificate, planned.Certificate) || !bytes.Equal(e.CRL, planned.CRL) || e.Generation != planned.Generation || !bytes.Equal(c.RawSubjectPublicKeyInfo, planned.SPKI):
		return errors.New("it takes in another certificate than the plan says")
	case e.KeySeen != (planned.Key != nil):
		return errors.New("it does not say of the key what the plan wants to know")
	}
	if other, taken := s.ownerOf(planned.SPKI); taken {
		return fmt.Errorf("its public key is that of %s", other)
	}
	if err := s.checkAdopted(e.Address, planned, c); err != nil {
		return err
	}
	g := generationOf(planned, c)
	if planned.Key != nil {
		g.Key = &KeyMade{Action: e.Action, Address: e.Address, Key: *planned.Key, SPKI: planned.SPKI, Adopted: true, Evidence: e.Evidence}
	}
	authority := Authority{Address: e.Address, HighestCRL: planned.CRLNumber}
	s.put(authority.with(g))
	s.Open.Done++
	return nil
}

// checkAdopted verifies the signatures of what is taken in.
func (s *State) checkAdopted(address spec.Address, planned *AdoptAction, c *x509.Certificate) error {
	above := c
	if planned.Issuer != address {
		issuer, _ := s.Authority(planned.Issuer)
		g, _ := issuer.At(planned.IssuerGeneration)
		if above = g.certificate(); above == nil {
			return fmt.Errorf("its issuer %s has no certificate", planned.Issuer)
		}
	}
	if err := public.CheckCertificate(c, above); err != nil {
		return fmt.Errorf("its certificate: %w", err)
	}
	if planned.CRL == nil {
		return nil
	}
	list, err := x509.ParseRevocationList(planned.CRL)
	if err == nil {
		err = public.CheckList(list, c)
	}
	if err == nil && numberOf(list) != planned.CRLNumber {
		err = errors.New("it has another number than the plan says")
	}
	if err != nil {
		return fmt.Errorf("its CRL: %w", err)
	}
	return nil
}

// withImported adds what other software revoked to what the estate revokes.
func withImported(entries []tbs.Entry, g Generation) []tbs.Entry {
	for _, e := range g.imported() {
		if !slices.ContainsFunc(entries, func(have tbs.Entry) bool {
			return strings.TrimLeft(have.Serial, "0") == strings.TrimLeft(e.Serial, "0")
		}) {
			entries = append(entries, e)
		}
	}
	slices.SortFunc(entries, func(a, b tbs.Entry) int { return compareSerials(a.Serial, b.Serial) })
	return entries
}

// observeAdopted takes an authority in without the plan that says so.
func (s *State) observeAdopted(e *Adopted) error {
	c, err := x509.ParseCertificate(e.Certificate)
	if err != nil {
		return fmt.Errorf("its certificate: %w", err)
	}
	authority, _ := s.Authority(e.Address)
	authority.Address = e.Address
	g := Generation{Number: e.Generation, Imported: true, CRL: e.CRL, spki: c.RawSubjectPublicKeyInfo}
	s.observed = append(slices.Clip(s.observed), authority.as(g))
	issuer, found := s.signer(c)
	if !found {
		return errors.New("its certificate is signed by no key of this ledger")
	}
	if list, err := x509.ParseRevocationList(e.CRL); err == nil {
		g.CRLNumber, authority.HighestCRL = numberOf(list), numberOf(list)
	}
	g.Certificates = []Issued{{DER: e.Certificate, Issuer: issuer.Address, IssuerGeneration: issuer.Generation, parsed: c}}
	s.put(authority.with(g))
	return nil
}
